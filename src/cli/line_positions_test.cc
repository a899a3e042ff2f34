#include "cli/line_positions.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::cli {
namespace {

std::string Shown(LinePosition position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

TEST(LinePositions, CountFromOne) {
  LinePositions positions;
  positions.Add("ab\n\nc");
  EXPECT_EQ(Shown(positions.Of(0)), "1:1");
  EXPECT_EQ(Shown(positions.Of(2)), "1:3");  // the line break belongs to its line
  EXPECT_EQ(Shown(positions.Of(3)), "2:1");
  EXPECT_EQ(Shown(positions.Of(4)), "3:1");
}

TEST(LinePositions, GoOnOverPieces) {
  LinePositions positions;
  positions.Add("ab");
  positions.Add("c\nd");
  positions.Add("e");
  EXPECT_EQ(Shown(positions.Of(2)), "1:3");
  EXPECT_EQ(Shown(positions.Of(5)), "2:2");
}

TEST(LinePositions, StayRightThoughOldLinesAreForgotten) {
  LinePositions positions;
  const std::string line = std::string(99, 'x') + "\n";
  std::string piece;
  while (piece.size() < 1'000'000) piece += line;
  for (int i = 0; i < 100; ++i) positions.Add(piece);
  EXPECT_EQ(Shown(positions.Of(100'000'000 - 1)), "1000000:100");
  EXPECT_EQ(Shown(positions.Of(95'000'000)), "950001:1");
}

}  // namespace
}  // namespace qarion::secrets::cli
