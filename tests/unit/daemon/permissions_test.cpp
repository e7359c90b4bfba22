// What the configured ports need of the process, said with what gives it.
#include "daemon/live/permissions.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

CaptureConfig on_interface() {
    CaptureConfig capture;
    capture.ports.push_back({.interface = "eth1", .pci = "", .vdev = ""});
    return capture;
}

std::size_t problems(const Permissions& permissions, const CaptureConfig& capture, std::uint64_t locked_bytes) {
    Notes notes;
    check_permissions(permissions, capture, locked_bytes, notes);
    for (const auto& note : notes) {
        CHECK(note.level == NoteLevel::problem);
        CHECK_FALSE(note.remedy.empty());
    }
    return notes.size();
}

Permissions all_but_locking(std::uint64_t memlock_bytes_max) {
    return {.net_raw = true, .net_admin = true, .bpf = true, .ipc_lock = false, .memlock_bytes_max = memlock_bytes_max};
}

} // namespace

TEST_CASE("an interface needs CAP_NET_RAW and CAP_NET_ADMIN") {
    Permissions permissions = all_but_locking(0);
    permissions.ipc_lock = true;
    CHECK(problems(permissions, on_interface(), 1 << 20) == 0);
    permissions.net_raw = false;
    CHECK(problems(permissions, on_interface(), 0) == 1);
    permissions.net_admin = false;
    CHECK(problems(permissions, on_interface(), 0) == 2);
}

TEST_CASE("AF_XDP needs CAP_BPF, too") {
    CaptureConfig capture;
    capture.ports.push_back({.interface = "", .pci = "", .vdev = "", .af_xdp = "eth1"});
    Permissions permissions = all_but_locking(0);
    CHECK(problems(permissions, capture, 0) == 0);
    permissions.bpf = false;
    CHECK(problems(permissions, capture, 0) == 1);
    CHECK(problems(permissions, on_interface(), 0) == 0);
}

TEST_CASE("AF_XDP in the unit needs all three lines that its comment names") {
    CaptureConfig capture;
    capture.ports.push_back({.interface = "", .pci = "", .vdev = "", .af_xdp = "eth1"});
    Permissions permissions = all_but_locking(0);
    permissions.bpf = false;
    Notes notes;
    check_permissions(permissions, capture, 0, notes);
    REQUIRE(notes.size() == 1);
    for (const char* line : {"AmbientCapabilities=CAP_BPF", "CapabilityBoundingSet=CAP_BPF", "SystemCallFilter=bpf"})
        CHECK(notes[0].remedy.find(line) != std::string::npos);
}

TEST_CASE("the rings may lock as much as the limit, or anything with CAP_IPC_LOCK") {
    Permissions permissions = all_but_locking(1 << 20);
    CHECK(problems(permissions, on_interface(), 1 << 20) == 0);
    CHECK(problems(permissions, on_interface(), (1 << 20) + 1) == 1);
    permissions.ipc_lock = true;
    CHECK(problems(permissions, on_interface(), (1 << 20) + 1) == 0);
}

TEST_CASE("virtual devices need nothing") {
    CaptureConfig capture;
    capture.ports.push_back({.interface = "", .pci = "", .vdev = "net_null0"});
    CHECK(problems({}, capture, 0) == 0);
}

TEST_CASE("this process's own are read") { CHECK(read_permissions().memlock_bytes_max > 0); }
