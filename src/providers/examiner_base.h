// What all examinations of stores have in common.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qarion/secrets/error.h"
#include "qarion/secrets/finding.h"

namespace qarion::secrets {

// What came of one.
struct Diagnosis {
  std::vector<Finding> findings;
  std::vector<std::pair<std::string, std::string>> details;  // for `status`: names and texts
};

// Gathers it. Thread-safety: one thread at a time.
class ExaminerBase {
 protected:
  void Add(Severity severity, std::string subject, std::string problem, std::string cure) {
    diagnosis_.findings.push_back(
        {severity, std::move(subject), std::move(problem), std::move(cure)});
  }
  void Warn(std::string subject, std::string problem, std::string cure) {
    Add(Severity::kWarning, std::move(subject), std::move(problem), std::move(cure));
  }
  void Fail(std::string subject, const Error& error) {
    std::string_view problem = error.reason();
    if (problem.starts_with(subject + ": ")) problem.remove_prefix(subject.size() + 2);
    Add(Severity::kError, std::move(subject), std::string(problem), error.cure());
  }
  // A failure that may pass is left to the fetch that follows, which tries again and then says so.
  void FailForGood(std::string subject, const Error& error) {
    if (!error.IsTransient()) Fail(std::move(subject), error);
  }
  void Detail(std::string name, std::string text) {
    diagnosis_.details.emplace_back(std::move(name), std::move(text));
  }

  Diagnosis Done() { return std::move(diagnosis_); }

 private:
  Diagnosis diagnosis_;
};

}  // namespace qarion::secrets
