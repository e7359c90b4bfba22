#include "tests/support/mission_session.h"

#include "tests/support/ftp_talk.h"
#include "tests/support/tcp_talk.h"

#include <string_view>

namespace ftpsensor::test {
namespace {

constexpr Timestamp kMinuteOfSession = 1'597'559'160 * kSecond; // 2020-08-16T06:26:00Z
constexpr std::uint16_t kDataPort = 31746;

// `seconds`.`micros` after the minute in which all of it happens.
constexpr Timestamp at(std::int64_t seconds, std::int64_t micros) {
    return kMinuteOfSession + seconds * kSecond + micros * kMicrosecond;
}

// One packet of either connection, in the order of the wire.
struct Step {
    Timestamp time;
    enum Kind : std::uint8_t { syn, syn_ack, ack, line, data, fin } kind;
    Side side;
    std::string_view text = {};
};

// clang-format off
constexpr Step kControlBeforeData[] = {
    {at(1, 485394), Step::syn, Side::client},
    {at(1, 680000), Step::syn_ack, Side::server},
    {at(1, 680090), Step::ack, Side::client},
    {at(1, 880000), Step::line, Side::server, "220 ::::: Welcome to the AFRINIC FTP service ::::::"},
    {at(1, 880080), Step::ack, Side::client},
    {at(1, 890000), Step::line, Side::client, "USER anonymous"},
    {at(2, 85000), Step::ack, Side::server},
    {at(2, 86000), Step::line, Side::server, "331 Please specify the password."},
    {at(2, 95000), Step::line, Side::client, "PASS ftp@example.com"},
    {at(2, 370000), Step::line, Side::server, "230 Login successful."},
    {at(2, 410000), Step::ack, Side::client},
    {at(2, 420000), Step::line, Side::client, "PWD"},
    {at(2, 640000), Step::line, Side::server, "257 \"/\""},
    {at(2, 650000), Step::line, Side::client, "CWD pub"},
    {at(2, 860000), Step::line, Side::server, "250 Directory successfully changed."},
    {at(2, 870000), Step::line, Side::client, "CWD stats"},
    {at(3, 80000), Step::line, Side::server, "250 Directory successfully changed."},
    {at(3, 90000), Step::line, Side::client, "CWD afrinic"},
    {at(3, 310000), Step::line, Side::server, "250 Directory successfully changed."},
    {at(3, 350000), Step::ack, Side::client},
    {at(3, 553287), Step::line, Side::client, "EPSV"},
    {at(3, 774000), Step::line, Side::server, "229 Entering Extended Passive Mode (|||31746|)."},
};
constexpr Step kDataOpen[] = {
    {at(3, 774520), Step::syn, Side::client},
    {at(3, 985000), Step::syn_ack, Side::server},
    {at(3, 985080), Step::ack, Side::client},
};
constexpr Step kControlToRetr[] = {
    {at(4, 77276), Step::line, Side::client, "TYPE I"},
    {at(4, 280000), Step::line, Side::server, "200 Switching to Binary mode."},
    {at(4, 290000), Step::line, Side::client, "SIZE delegated-afrinic-extended-latest.md5"},
    {at(4, 500000), Step::line, Side::server, "213 74"},
    {at(4, 540000), Step::ack, Side::client},
    {at(4, 597290), Step::line, Side::client, "RETR delegated-afrinic-extended-latest.md5"},
    {at(4, 768000), Step::line, Side::server,
     "150 Opening BINARY mode data connection for delegated-afrinic-extended-latest.md5 (74 bytes)."},
};
constexpr Step kDataTransfer[] = {
    {at(4, 769000), Step::data, Side::server,
     "0123456789abcdef0123456789abcdef  delegated-afrinic-extended-20200816.txt\n"},
    {at(4, 769300), Step::fin, Side::server},
    {at(4, 770000), Step::ack, Side::client},
    {at(4, 771020), Step::fin, Side::client},
    {at(4, 780000), Step::ack, Side::server},
};
constexpr Step kControlAfterData[] = {
    {at(4, 808000), Step::ack, Side::client},
    {at(4, 975000), Step::line, Side::server, "226 Transfer complete."},
    {at(5, 15000), Step::ack, Side::client},
    {at(5, 117287), Step::line, Side::client, "QUIT"},
    {at(5, 258000), Step::line, Side::server, "221 Goodbye."},
    {at(5, 258200), Step::fin, Side::server},
    {at(5, 266224), Step::fin, Side::client},
    {at(5, 470000), Step::ack, Side::server},
};
// clang-format on

std::uint8_t flags_of(Step::Kind kind) {
    switch (kind) {
    case Step::syn: return kFlagSyn;
    case Step::syn_ack: return kFlagSyn | kFlagAck;
    case Step::ack: return kFlagAck;
    case Step::line:
    case Step::data: return kFlagPsh | kFlagAck;
    case Step::fin: break;
    }
    return kFlagFin | kFlagAck;
}

void play(TcpTalk& talk, std::span<const Step> steps) {
    for (const Step& step : steps) {
        std::string text(step.text);
        if (step.kind == Step::line) text += "\r\n";
        talk.trace().at(step.time);
        talk.send(step.side, {.flags = flags_of(step.kind), .text = text});
    }
}

TalkOptions between(std::uint16_t client_port, std::uint16_t server_port) {
    TalkOptions options;
    options.client = {ip("192.168.4.76"), client_port};
    options.server = {ip("196.216.2.24"), server_port};
    // With timestamps: SYNs of 60 bytes, 52 bytes around the payload of the others.
    options.syn_options = {.mss = 1460, .sack_permitted = true, .window_scale = 7};
    options.timestamps = true;
    return options;
}

} // namespace

Trace mission_session() {
    Trace trace;
    TcpTalk control(trace, between(53380, 21));
    TcpTalk data(trace, between(60474, kDataPort));
    control.before_open();
    data.before_open();
    play(control, kControlBeforeData);
    play(data, kDataOpen);
    play(control, kControlToRetr);
    play(data, kDataTransfer);
    play(control, kControlAfterData);
    return trace;
}

} // namespace ftpsensor::test
