// Reads values from standard input, one a line, in hexadecimal, and prints a line for each: its
// forms, with tabs between them. Of a form: the text in hexadecimal, and where it is Base64 the
// bits around it: "5a6d39765a,0,0,4,2".
#include <cstdlib>
#include <iostream>
#include <string>

#include "scrub/forms.h"
#include "tests/support/hex_fields.h"

namespace scrub = qarion::secrets::scrub;
namespace test = qarion::secrets::test;

namespace {

std::string Written(const scrub::FormText& form) {
  std::string written = test::Hex(form.text);
  if (!form.is_base64) return written;
  const scrub::Base64Edges& edges = form.edges;
  for (const int number :
       {edges.lead_bits, edges.lead_value, edges.trail_bits, edges.trail_value}) {
    written += ',' + std::to_string(number);
  }
  return written;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::string separator;
    scrub::ForEachForm(test::FromHex(line), {}, [&](const scrub::FormText& form) {
      std::cout << separator << Written(form);
      separator = "\t";
    });
    std::cout << '\n';
  }
  return EXIT_SUCCESS;
}
