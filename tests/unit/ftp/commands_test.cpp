#include "core/ftp/commands.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

TEST_CASE("commands are found by their name in upper case", "[commands]") {
    CHECK(find_command("RETR") == FtpCommand::retr);
    CHECK(find_command("PWD") == FtpCommand::pwd);
    CHECK(find_command("XPWD") == FtpCommand::xpwd);
    CHECK(find_command("USER") == FtpCommand::user);
    CHECK(find_command("retr") == FtpCommand::unknown);
    CHECK(find_command("RETRX") == FtpCommand::unknown);
    CHECK(find_command("XMKD") == FtpCommand::unknown);
    CHECK(find_command("") == FtpCommand::unknown);
    CHECK(find_command(kInitCommandName) == FtpCommand::unknown);
}

TEST_CASE("codes answer the commands they are meant for", "[commands]") {
    CHECK(answers(FtpCommand::init, 220));
    CHECK(answers(FtpCommand::pass, 230));
    CHECK(answers(FtpCommand::stor, 553));
    CHECK_FALSE(answers(FtpCommand::retr, 553));
    CHECK(answers(FtpCommand::epsv, 229));
    CHECK_FALSE(answers(FtpCommand::pasv, 229));
    CHECK_FALSE(answers(FtpCommand::xpwd, 257)); // not in the reference's table
    CHECK_FALSE(answers(FtpCommand::unknown, 200));
    CHECK(answers(FtpCommand::unknown, 500)); // a syntax error can be anyone's
    CHECK(answers(FtpCommand::quit, 0));
    CHECK(answers(FtpCommand::init, 0));
    CHECK_FALSE(answers(FtpCommand::user, 0));
}

TEST_CASE("commands whose argument is a path", "[commands]") {
    CHECK(takes_path(FtpCommand::retr));
    CHECK(takes_path(FtpCommand::rest)); // so says the reference
    CHECK_FALSE(takes_path(FtpCommand::list));
    CHECK_FALSE(takes_path(FtpCommand::unknown));
}

TEST_CASE("replies that tell the working directory", "[commands]") {
    CHECK(tells_directory(FtpCommand::cwd, 250));
    CHECK_FALSE(tells_directory(FtpCommand::cwd, 200));
    CHECK(tells_directory(FtpCommand::cdup, 200));
    CHECK(tells_directory(FtpCommand::cdup, 250));
    CHECK(tells_directory(FtpCommand::pwd, 257));
    CHECK(tells_directory(FtpCommand::xpwd, 257));
    CHECK_FALSE(tells_directory(FtpCommand::mkd, 257));
}
