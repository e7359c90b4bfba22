// Writes the commented example to standard output: the target example-config makes config/ftpsensor.yaml with it.
#include "config/example.h"

#include <cstdio>

int main() {
    std::fputs(ftpsensor::example_config().c_str(), stdout);
    return 0;
}
