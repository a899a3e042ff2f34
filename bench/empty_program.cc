// What any C++ program costs: start, libstdc++, end.
#include <string>

int main(int argc, char**) { return std::string(static_cast<std::size_t>(argc), 'x').empty(); }
