// The process environment as the library sees it, so that tests can bring their own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::core {

// Thread-safety: const members from several threads, as long as nobody changes the environment.
class Environment {
 public:
  virtual ~Environment() = default;

  // Valid until the environment is changed.
  virtual std::optional<std::string_view> Find(std::string_view name) const = 0;

  // Names of all variables, each once.
  virtual std::vector<std::string> Names() const = 0;
};

// `environ` of this process.
class ProcessEnvironment final : public Environment {
 public:
  std::optional<std::string_view> Find(std::string_view name) const override;
  std::vector<std::string> Names() const override;
};

// A map, for tests and for callers who decide what is seen.
class MapEnvironment final : public Environment {
 public:
  MapEnvironment() = default;
  explicit MapEnvironment(std::map<std::string, std::string> variables)
      : variables_(std::move(variables)) {}
  void Set(std::string name, std::string value) {
    variables_.insert_or_assign(std::move(name), std::move(value));
  }
  std::optional<std::string_view> Find(std::string_view name) const override {
    const auto found = variables_.find(std::string(name));
    if (found == variables_.end()) return std::nullopt;
    return found->second;
  }
  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, value] : variables_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, std::string> variables_;
};

}  // namespace qarion::secrets::core
