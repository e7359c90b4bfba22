// main() of the test programs with Catch2 2; Catch2 3 brings its own in a library.
#define CATCH_CONFIG_MAIN
#include "tests/support/catch.h"
