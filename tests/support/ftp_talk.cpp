#include "tests/support/ftp_talk.h"

#include <string>

namespace ftpsensor::test {
namespace {

constexpr std::uint16_t kFtpPort = 21;
constexpr std::uint16_t kFtpDataPort = 20;

TalkOptions on_ftp_port(TalkOptions options) {
    if (options.server.port == TalkOptions{}.server.port) options.server.port = kFtpPort;
    return options;
}

std::string line_of(std::string_view text) { return std::string(text) + "\r\n"; }

} // namespace

FtpTalk::FtpTalk(Trace& trace, const TalkOptions& options) : control_(trace, on_ftp_port(options)) { control_.open(); }

FtpTalk& FtpTalk::client(std::string_view line) {
    control_.client(line_of(line));
    return *this;
}

FtpTalk& FtpTalk::server(std::string_view line) {
    control_.server(line_of(line));
    return *this;
}

FtpTalk& FtpTalk::login(std::string_view user, std::string_view password) {
    server("220 Welcome.").client("USER " + std::string(user)).server("331 Please specify the password.");
    return client("PASS " + std::string(password)).server("230 Login successful.");
}

FtpTalk& FtpTalk::quit() {
    client("QUIT").server("221 Goodbye.");
    control_.close(Side::server);
    return *this;
}

TcpTalk FtpTalk::passive(std::uint16_t server_port) {
    const TalkOptions& session = control_.options();
    return data_connection({session.client.address, next_client_port_++}, {session.server.address, server_port});
}

TcpTalk FtpTalk::active(std::uint16_t client_port) {
    const TalkOptions& session = control_.options();
    return data_connection({session.server.address, kFtpDataPort}, {session.client.address, client_port});
}

FtpTalk& FtpTalk::download(TcpTalk data, std::string_view payload) {
    const Side server = server_side(data);
    data.say(server, payload).close(server);
    return *this;
}

FtpTalk& FtpTalk::upload(TcpTalk data, std::string_view payload) {
    const Side client = other(server_side(data));
    data.say(client, payload).close(client);
    return *this;
}

TcpTalk FtpTalk::data_connection(const TalkEnd& from, const TalkEnd& to) {
    TalkOptions options = control_.options();
    options.client = from;
    options.server = to;
    TcpTalk data(control_.trace(), options);
    data.open();
    return data;
}

Side FtpTalk::server_side(const TcpTalk& data) const {
    return data.options().client.address == control_.options().server.address ? Side::client : Side::server;
}

} // namespace ftpsensor::test
