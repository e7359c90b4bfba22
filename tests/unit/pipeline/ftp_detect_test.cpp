// FTP by the first bytes of both sides.
#include "core/pipeline/ftp_detect.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;

TEST_CASE("a greeting, a USER and the answer to it are FTP") {
    CHECK(detect_ftp("USER me\r\n", "220 hello\r\n331 password?\r\n") == Detection::ftp);
    CHECK(detect_ftp("user me\r\n", "120 wait\r\n230 in\r\n") == Detection::ftp);
    CHECK(detect_ftp("FEAT\r\nUSER me\r\n", "220-many\r\n220-lines\r\n220 now\r\n331 password?\r\n") == Detection::ftp);
}

TEST_CASE("a part of it may still become FTP") {
    CHECK(detect_ftp("", "") == Detection::undecided);
    CHECK(detect_ftp("", "2") == Detection::undecided);
    CHECK(detect_ftp("", "220 mail.example.com ESMTP\r\n") == Detection::undecided);
    CHECK(detect_ftp("USER me\r\n", "220 hello\r\n") == Detection::undecided);
    CHECK(detect_ftp("NOOP\r\n", "220 hello\r\n331 password?\r\n") == Detection::undecided);
}

TEST_CASE("a responder that does not greet as FTP is something else") {
    CHECK(detect_ftp("GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n") == Detection::other);
    CHECK(detect_ftp("", "SSH-2.0-x\r\n") == Detection::other);
    CHECK(detect_ftp("", "221 bye\r\n") == Detection::other);
    CHECK(detect_ftp("", "2201 x\r\n") == Detection::other);
}

TEST_CASE("it is not looked for beyond the first kilobyte of both sides") {
    const std::string banner = "220 " + std::string(kDetectBytesMax, 'x');
    CHECK(detect_ftp("", banner) == Detection::other);
    CHECK(detect_ftp("", banner.substr(0, kDetectBytesMax)) == Detection::undecided);
}

TEST_CASE("USER inside a line is not a command") {
    CHECK(detect_ftp("xUSER me\r\n", "220 a\r\n331 b\r\n") == Detection::undecided);
    CHECK(detect_ftp("  USER me\r\n", "220 a\r\n331 b\r\n") == Detection::ftp);
}

TEST_CASE("Telnet's commands are taken out") {
    CHECK(strip_telnet("US\xff\xf1\x45R \xff\xfb\x01me") == "USER me");
    CHECK(strip_telnet("\xff\xf4\xff\xf2PASS a\xff\xff\x62") == "PASS a\xff\x62");
    CHECK(strip_telnet("a\xff\xfa\x18\x01vt\xff\xf0z") == "az");
    CHECK(strip_telnet("a\xff\xfa\x18\r\nb\xff\nc\xff\xfb\nd") == "a\nb\nc\nd"); // a line feed ends the line
    for (const char* open_end : {"a\xff", "a\xff\xfb", "a\xff\xfa\x18\x01", "a\xff\xfa\x18\xff"})
        CHECK(strip_telnet(open_end) == "a");
}
