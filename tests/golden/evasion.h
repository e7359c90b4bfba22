// What the tests of evasion share: a session that has to be found whatever was done to it.
#pragma once

#include "tests/golden/golden.h"

namespace ftpsensor::test {

inline const Reading kExtended = {.extended = true};
inline const Reading kStrict = {};

inline TalkOptions on_port(std::uint16_t port) { return {.server = {ip("10.0.0.2"), port}}; }

// A session that deletes a file, as it has to be found whatever was done to it.
inline void delete_secret(FtpTalk& ftp) { ftp.client("DELE secret").server("250 Gone.").quit(); }

inline void check_deleted(const Trace& trace, const Reading& how, const std::string& user) {
    const Logs logs = read(trace, how);
    CHECK(logs.show("ftp", "user command arg reply_code", {{"command", "DELE"}}) ==
          user + " DELE ftp://10.0.0.2/./secret 250");
    CHECK(logs.show("conn", "service") == "ftp");
}

inline void check_deleted(const Trace& trace, const std::string& user = "mallory") {
    for (const Reading& how : {kStrict, kExtended}) check_deleted(trace, how, user);
}

// The same session in lines, for tests that send them by themselves.
struct SaidLine {
    Side side;
    std::string_view line;
};
inline constexpr SaidLine kSession[] = {
    {Side::server, "220 Hi.\r\n"},   {Side::client, "USER mallory\r\n"}, {Side::server, "331 Password?\r\n"},
    {Side::client, "PASS x\r\n"},    {Side::server, "230 In.\r\n"},      {Side::client, "DELE secret\r\n"},
    {Side::server, "250 Gone.\r\n"},
};

// The bytes of a line, a segment each.
inline void letter_by_letter(TcpTalk& talk, Side side, std::string_view line) {
    for (const char c : line) talk.say(side, std::string(1, c));
}

// Up to the login.
inline void log_in(FtpTalk& ftp) {
    ftp.server("220 Hi.").client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
}

} // namespace ftpsensor::test
