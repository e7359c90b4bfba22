#include "core/ftp/parse.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;
using namespace std::string_literals;
using Kind = FtpReply::Kind;

TEST_CASE("a request is a word of three printable bytes or more, and the rest", "[parse]") {
    const auto check = [](const std::string& line, const std::string& name, const std::string& argument) {
        INFO(line);
        const FtpRequest request = parse_request(line);
        CHECK(request.name == name);
        CHECK(request.argument == argument);
    };
    check("RETR a b", "RETR", "a b");
    check("retr a", "retr", "a");
    check("PWD", "PWD", "");
    check(" \t PWD", "PWD", "");
    check("CWD \t a ", "CWD", "a "); // blanks at the end are the argument's
    check("PWD ", "PWD", "");
    check("AB", "", "");
    check("AB c", "", "");
    check("", "", "");
    check("   ", "", "");
    check("\rPWD", "", "");
    check("PWD\rx", "PWD", "\rx");
    check("PWD\vx", "PWD", "\vx");
    check("PWD\0x"s, "PWD", "\0x"s);
    check("PW\x01"
          "D a",
          "", "");
    check("PWD\xc3\xa9 a", "", "");
    check("PWD \xc3\xa9", "PWD", "\xc3\xa9");
    check("PWD\x7f", "", "");
}

TEST_CASE("a reply in one line", "[parse]") {
    std::uint32_t open = 0;
    const auto check = [&](const std::string& line, Kind kind, std::uint32_t code, const std::string& text) {
        INFO(line);
        open = 0;
        const FtpReply reply = parse_reply(line, open);
        CHECK(reply.kind == kind);
        CHECK(reply.code == code);
        CHECK(reply.text == text);
        CHECK(open == 0);
    };
    check("220 ready", Kind::whole, 220, "ready");
    check("220", Kind::whole, 220, "");
    check("220 ", Kind::whole, 220, "");
    check("220 \t x ", Kind::whole, 220, "x ");
    check("999 x", Kind::whole, 999, "x");
    check("100 x", Kind::whole, 100, "x");
    check("099 x", Kind::code_too_low, 0, "099 x");
    check("99 PASV invalid", Kind::no_code, 0, "99 PASV invalid");
    check("000 x", Kind::no_code, 0, "000 x");
    check("22", Kind::no_code, 0, "22");
    check(" 220 x", Kind::no_code, 0, " 220 x");
    check("SSH-2.0-x", Kind::no_code, 0, "SSH-2.0-x");
    check("230_x", Kind::no_space, 0, "230_x");
    check("2300", Kind::no_space, 0, "2300");
    check("230\t", Kind::no_space, 0, "230\t");
    check("230\0"s, Kind::no_space, 0, "230\0"s);
}

TEST_CASE("a reply of several lines goes on to its own code and a blank", "[parse]") {
    std::uint32_t open = 0;
    FtpReply reply = parse_reply("220-  Welcome", open);
    CHECK(reply.kind == Kind::first);
    CHECK(reply.code == 220);
    CHECK(reply.text == "Welcome");
    CHECK(open == 220);
    for (const std::string line : {"text", " 220 x", "220-more", "220", "226 Transfer complete.", "221 x", "x"}) {
        INFO(line);
        reply = parse_reply(line, open);
        CHECK(reply.kind == Kind::inner);
        CHECK(reply.code == 0);
        CHECK(reply.text == line);
    }
    reply = parse_reply("220  done", open);
    CHECK(reply.kind == Kind::whole);
    CHECK(reply.code == 220);
    CHECK(reply.text == "done");
    CHECK(open == 0);
}

TEST_CASE("an inner line may look like a reply", "[parse]") {
    CHECK(looks_like_reply("226 Transfer complete."));
    CHECK(looks_like_reply("226 0123456789"));
    CHECK_FALSE(looks_like_reply("226 012345678"));
    CHECK_FALSE(looks_like_reply("026 0123456789"));
    CHECK_FALSE(looks_like_reply("226-0123456789"));
    CHECK_FALSE(looks_like_reply(" 226 0123456789"));
    CHECK_FALSE(looks_like_reply("226 01234\t6789"));
    CHECK_FALSE(looks_like_reply("226 01234\xc3\xa9 6789"));
    CHECK(looks_like_reply("226 0123456789\xc3"));
    CHECK_FALSE(looks_like_reply(""));
}
