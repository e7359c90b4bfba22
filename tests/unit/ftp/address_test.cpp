#include "core/ftp/address.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;
using namespace std::string_literals;

namespace {

struct Case {
    std::string text;
    std::string want; // "host port", "-" where it is not valid
};

using Parser = std::optional<AnnouncedEndpoint> (*)(std::string_view);

void check(Parser parse, std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
        INFO(c.text);
        const auto endpoint = parse(c.text);
        CHECK((endpoint ? endpoint->host.to_string() + " " + std::to_string(endpoint->port) : "-") == c.want);
    }
}

} // namespace

TEST_CASE("the argument of PORT", "[address]") {
    check(parse_port_argument, {
                                   {"10,0,0,1,4,31", "10.0.0.1 1055"},
                                   {"141,142,220,235,131,46", "141.142.220.235 33582"},
                                   {"1,2,3,4,5,6", "1.2.3.4 1286"},
                                   {"0,0,0,0,0,0", "0.0.0.0 0"},
                                   {"255,255,255,255,255,255", "255.255.255.255 65535"},
                                   {"256,0,0,1,4,31", "-"},
                                   {"10,0,0,1,4,256", "-"},
                                   {"10,0,0,1,-4,31", "-"},
                                   {"10,0,0,1,4", "-"},
                                   {"114,115", "-"},
                                   {"", "-"},
                                   {"1,2,3,4,5,", "-"},
                                   {"1,2,3,4,,6", "-"},
                                   {"10.0.0.1,4,31", "-"},
                                   {"a10,0,0,1,4,31", "-"},
                                   {"10 ,0,0,1,4,31", "-"},                // white space before a comma
                                   {" 10, 0,\t0,1,4,31", "10.0.0.1 1055"}, // before a number
                                   {"010,00,0,1,+4,31", "10.0.0.1 1055"},  // zeros and signs
                                   {"10,0,0,1,4,31 trailing", "10.0.0.1 1055"},
                                   {"10,0,0,1,4,31,9", "10.0.0.1 1055"},
                                   {"10,0,0,1,4,31\0x"s, "10.0.0.1 1055"}, // a NUL ends it
                                   {"10,0,0\0,1,4,31"s, "-"},
                                   {"4294967306,0,0,1,4,31", "10.0.0.1 1055"}, // cut to 32 bits, as the reference does
                                   {"99999999999999999999,0,0,1,4,31", "-"},
                                   {"-99999999999999999999,0,0,1,4,31", "0.0.0.1 1055"},
                               });
}

TEST_CASE("the argument of EPRT", "[address]") {
    check(parse_eprt_argument, {
                                   {"|1|10.0.0.1|1055|", "10.0.0.1 1055"},
                                   {"|2|2001:db8::1|49189|", "2001:db8::1 49189"},
                                   {"|2|::ffff:10.0.0.1|21|", "10.0.0.1 21"},
                                   {"!1!10.0.0.1!1055!", "10.0.0.1 1055"},
                                   {"  |1|10.0.0.1|1055|", "10.0.0.1 1055"},
                                   {"|7|10.0.0.1|1055|", "10.0.0.1 1055"}, // the family is not looked at
                                   {"|2|10.0.0.1|1055|", "10.0.0.1 1055"},
                                   {"|1|010.000.0.1|1055|", "10.0.0.1 1055"},
                                   {"|1|10.0.0.1|65535|", "10.0.0.1 65535"},
                                   {"|1|10.0.0.1|65536|", "-"},
                                   {"|1|10.0.0.1|-1|", "-"},
                                   {"|1|10.0.0.1|1055", "-"}, // the last delimiter is needed
                                   {"|1|10.0.0.1|", "-"},
                                   {"|1|10.0.0.1", "10.0.0.1 0"}, // but a port is not
                                   {"|1||1055|", ":: 1055"},      // nor an address
                                   {"|1|10.0.0.1||", "10.0.0.1 0"},
                                   {"x1|10.0.0.1|1055|", "-"},
                                   {"|x|10.0.0.1|1055|", "-"},
                                   {"|1x|10.0.0.1|1055|", "-"},
                                   {"|1|10.0.0.256|1055|", "-"},
                                   {"|1|10.0.0|1055|", "-"},
                                   {"|1|10.0.0.1x|1055|", "-"},
                                   {"|2|2001:db8::g|1055|", "-"},
                                   {"|2|fe80::1%eth0|1055|", "-"},
                                   {"|1|10.0.0.1|1055x|", "-"},
                                   {"|", "-"},
                                   {"||", ":: 0"},
                                   {"|||", "-"},
                                   {"|||55|", ":: 55"},
                                   {"", "-"},
                                   {"   ", "-"},
                                   {"|1|10.0.0.1|1055|\0"s, "-"}, // a NUL anywhere
                                   {"|1|10.0.0.1|4294968351|", "10.0.0.1 1055"},
                               });
}

TEST_CASE("the text of a 227 reply", "[address]") {
    check(parse_pasv_reply, {
                                {"Entering Passive Mode (199,233,217,249,221,90)", "199.233.217.249 56666"},
                                {"Entering Passive Mode (199,233,217,249,221,90).", "199.233.217.249 56666"},
                                {"Entering Passive Mode 199,233,217,249,221,90", "199.233.217.249 56666"},
                                {"199,233,217,249,221,90", "199.233.217.249 56666"},
                                {"=199,233,217,249,221,90", "199.233.217.249 56666"},
                                {"Passive PORT 199,233,217,249,221,90", "199.233.217.249 56666"},
                                {"Passive PORT=199,233,217,249,221,90", "199.233.217.249 56666"},
                                {"(no) 199,233,217,249,221,90", "-"}, // a parenthesis decides
                                {"Entering (199,233,217,249,221", "-"},
                                {"Entering (", "-"},
                                {"Entering PORT", "-"},
                                {"Entering PORT ", "-"},
                                {",", "-"},
                                {"no digits, here", "-"},
                                {"", "-"},
                                {"Entering Passive Mode (|||55|)", "-"},
                                {"Entering Passive Mode (1,2,3,4,5,6)\0"s, "-"},
                            });
}

TEST_CASE("the text of a 229 reply", "[address]") {
    check(parse_epsv_reply, {
                                {"Entering Extended Passive Mode (|||31746|).", ":: 31746"},
                                {"Entering Extended Passive Mode (!!!31746!)", ":: 31746"},
                                {"Entering ( |||31746|)", ":: 31746"},
                                {"Entering (|1|10.0.0.1|31746|)", "10.0.0.1 31746"},
                                {"Entering (|2|2001:db8::1|31746|)", "2001:db8::1 31746"},
                                {"Entering |||31746|", "-"},
                                {"Entering (|||31746)", "-"},
                                {"Entering (|||65536|)", "-"},
                                {"Entering (||31746|)", "-"}, // read as an address without a port
                                {"Entering (", "-"},
                                {"(199,233,217,249,221,90)", "-"},
                                {"", "-"},
                                {"Entering (|||31746|)\0"s, "-"},
                            });
}
