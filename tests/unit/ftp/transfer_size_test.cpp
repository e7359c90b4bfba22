// How many bytes a transfer has to move, by what the server said.
#include "core/ftp/transfer_size.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

struct Replies {
    TransferSize size;
    Replies& operator()(FtpCommand command, std::uint32_t code, std::string_view text,
                        std::string_view argument = "a") {
        size.reply(command, argument, code, text);
        return *this;
    }
    std::uint64_t least() { return size.take_least_bytes(); }
};

constexpr std::string_view kOpening = "Opening data channel.";

} // namespace

TEST_CASE("the size that a reply names in its last words") {
    CHECK(extract_named_size("Opening BINARY mode data connection for /pub/a.md5 (74 bytes).") == 74); // vsftpd
    CHECK(extract_named_size("Opening BINARY mode data connection for a (74 bytes)") == 74);           // proftpd
    CHECK(extract_named_size("Opening ASCII mode data connection for a(74 bytes). ") == 74);           // IIS
    CHECK(extract_named_size("Opening data connection for a ( 18446744073709551615 Octets )") == std::nullopt);
    CHECK(extract_named_size("Opening data connection for a (18446744073709551615 Octets)") == 18446744073709551615u);
}

TEST_CASE("numbers of other things are no size") {
    for (const char* text : {"", "bytes)", "(bytes)", "( bytes)", "Connecting to port 44855", "75.0 kbytes to download",
                             "Opening \"notes (9 bytes)\"", "for a (1.5 bytes)", "for a (-1 bytes)",
                             "for a (12 kbytes)", "for a (99999999999999999999 bytes)", "(5 bytes) for a"})
        CHECK_FALSE(extract_named_size(text).has_value());
}

TEST_CASE("of the transfer that the reply begins, once") {
    Replies r;
    r(FtpCommand::retr, 150, "a (74 bytes).");
    CHECK(r.least() == 74);
    CHECK(r.least() == 0);
    r(FtpCommand::retr, 125, "a (75 bytes).");
    CHECK(r.least() == 75);
    r(FtpCommand::stor, 150, "a (74 bytes).")(FtpCommand::retr, 226, "a (74 bytes).");
    CHECK(r.least() == 0);
}

TEST_CASE("SIZE says it where the reply does not, of the same file and just before") {
    Replies r;
    CHECK(r(FtpCommand::size, 213, "74")(FtpCommand::pasv, 227, "=1,2,3,4,5,6")(FtpCommand::retr, 150, kOpening)
              .least() == 74);
    CHECK(r(FtpCommand::size, 213, "74")(FtpCommand::retr, 150, "a (70 bytes)").least() == 70);
    r(FtpCommand::retr, 226, "Done.");
    CHECK(r(FtpCommand::retr, 150, kOpening).least() == 0);
    CHECK(r(FtpCommand::size, 213, "74", "b")(FtpCommand::retr, 150, kOpening).least() == 0);
    CHECK(r(FtpCommand::size, 550, "74")(FtpCommand::retr, 150, kOpening).least() == 0);
    CHECK(r(FtpCommand::size, 213, "74")(FtpCommand::size, 213, "huge")(FtpCommand::retr, 150, kOpening).least() == 0);
    for (const FtpCommand other : {FtpCommand::cwd, FtpCommand::type, FtpCommand::stor, FtpCommand::unknown})
        CHECK(r(FtpCommand::size, 213, "74")(other, 250, "OK.")(FtpCommand::retr, 150, kOpening).least() == 0);
}

TEST_CASE("what a REST left out counts as moved") {
    Replies r;
    r(FtpCommand::rest, 350, "Go on.", "70");
    CHECK(r(FtpCommand::retr, 150, "a (74 bytes)").least() == 4);
    r(FtpCommand::retr, 226, "Done.");
    CHECK(r(FtpCommand::retr, 150, "a (74 bytes)").least() == 74);
    r(FtpCommand::rest, 350, "Go on.", "100")(FtpCommand::pasv, 227, "");
    CHECK(r(FtpCommand::retr, 150, "a (74 bytes)").least() == 0);
    r(FtpCommand::rest, 350, "Go on.", "a marker"); // block mode
    CHECK(r(FtpCommand::retr, 150, "a (74 bytes)").least() == 0);
    r(FtpCommand::retr, 226, "Done.")(FtpCommand::rest, 501, "No.", "70");
    CHECK(r(FtpCommand::retr, 150, "a (74 bytes)").least() == 74);
}
