// The main() of all Catch2 programs.
#define CATCH_CONFIG_RUNNER  // version 2 compiles its implementation here; version 3 links it
#include "tests/support/catch.h"

int main(int argc, char** argv) {
  return Catch::Session().run(argc, argv);
}
