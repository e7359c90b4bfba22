// mission_capture OUT.pcap: writes the session of the mission's document (mission_session.h) as a capture.
#include "tests/support/mission_session.h"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: mission_capture OUT.pcap\n");
        return 2;
    }
    try {
        ftpsensor::test::mission_session().save(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "mission_capture: %s\n", error.what());
        return 1;
    }
    return 0;
}
