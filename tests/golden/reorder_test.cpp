// Packets that trade places on the way to the sensor: with ftp.extended no entry and no transfer is lost by it.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::string_view kFields =
    "user password command arg reply_code reply_msg file_size mime_type data_channel.bytes data_channel.complete";

Trace session(std::uint16_t port) {
    Trace trace;
    FtpTalk ftp(trace, {.server = {ip("10.0.0.2"), port}});
    ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).").client("RETR a");
    ftp.server("150 Here it comes: 2000 bytes.").download(ftp.passive(40000), std::string(2000, 'x'));
    ftp.server("226 Done.").client("DELE a").server("250 Gone.").quit();
    return trace;
}

Trace exchanged(Trace trace, std::size_t at) {
    std::swap(trace.frames()[at].bytes, trace.frames()[at + 1].bytes); // their times stay in order
    return trace;
}

void check_each_neighbour(const Trace& trace) {
    const std::string expected = read(trace, {.extended = true}).show("ftp", kFields);
    REQUIRE(std::count(expected.begin(), expected.end(), '|') == 2);
    for (std::size_t i = 0; i + 1 < trace.frames().size(); ++i) {
        INFO("packets " << i + 1 << " and " << i + 2 << " exchanged");
        CHECK(read(exchanged(trace, i), {.extended = true}).show("ftp", kFields) == expected);
    }
}

} // namespace

TEST_CASE("reorder: any two neighbouring packets of a session") { check_each_neighbour(session(21)); }

TEST_CASE("reorder: and of one on another port, which is known by its first bytes") {
    check_each_neighbour(session(2121));
}

TEST_CASE("reorder: a data connection between its command and the announcement") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV");
    TcpTalk early(trace, {.client = {ip("10.0.0.1"), 50000}, .server = {ip("10.0.0.2"), 40000}});
    early.open().server(std::string(2000, 'x')).close(Side::server);
    ftp.server("227 Entering Passive Mode (10,0,0,2,156,64).").client("RETR a").server("226 Done.").quit();
    CHECK(read(trace, {.extended = true}).show("ftp", "command data_channel.bytes") == "PASV - | RETR 2000");
}

TEST_CASE("reorder: strict as the reference, a command that its acknowledgement overtook is lost") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a");
    trace.swap_last_two();
    ftp.server("250 Gone.").client("DELE b").server("250 Gone.").quit();
    CHECK(read(trace).show("ftp", "arg") == "ftp://10.0.0.2/./b");
    CHECK(read(trace, {.extended = true}).show("ftp", "arg") == "ftp://10.0.0.2/./a | ftp://10.0.0.2/./b");
}
