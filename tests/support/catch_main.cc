// The one main() of all Catch2 programs: compiled once, since Catch2's is slow to compile.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
