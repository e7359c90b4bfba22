// Scripted FTP sessions for tests: a control connection that speaks lines, and its data connections.
//
//     Trace trace;
//     FtpTalk ftp(trace);
//     ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
//     ftp.client("RETR notes.txt").server("150 Here it comes.").download(ftp.passive(40000), "text");
//     ftp.server("226 Done.").quit();
//
// Everything of TcpTalk holds here as well; the control connection itself is control(). One thread.
#pragma once

#include "tests/support/tcp_talk.h"

#include <cstdint>
#include <string_view>

namespace ftpsensor::test {

class FtpTalk {
public:
    // Opens the control connection; options.server.port becomes 21 where it was left at TalkOptions' 80.
    explicit FtpTalk(Trace& trace, const TalkOptions& options = {});

    FtpTalk& client(std::string_view line); // CRLF is added
    FtpTalk& server(std::string_view line);
    FtpTalk& login(std::string_view user = "anonymous", std::string_view password = "ftp@example.com");
    FtpTalk& quit(); // QUIT, 221, and both sides close, the server first

    // An opened data connection between the session's hosts, each from a new port where none is announced.
    TcpTalk passive(std::uint16_t server_port); // the client connects to the announced port
    TcpTalk active(std::uint16_t client_port);  // the server connects, from port 20
    // `data` moves to or from the server's side of the session over an opened connection; then its sender closes it.
    FtpTalk& download(TcpTalk data, std::string_view payload);
    FtpTalk& upload(TcpTalk data, std::string_view payload);

    TcpTalk& control() { return control_; }

private:
    TcpTalk data_connection(const TalkEnd& from, const TalkEnd& to);
    Side server_side(const TcpTalk& data) const; // which side of a data connection the FTP server is

    TcpTalk control_;
    std::uint16_t next_client_port_ = 50000;
};

} // namespace ftpsensor::test
