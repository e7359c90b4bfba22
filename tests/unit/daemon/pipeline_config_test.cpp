// What the configuration says reaches the parts that it is about.
#include "daemon/pipeline_config.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

TEST_CASE("each of the timeouts is taken") {
    Config config;
    Duration next = kSecond;
    auto& t = config.timeouts;
    for (Duration* timeout :
         {&t.tcp_attempt_delay, &t.tcp_close_delay, &t.tcp_reset_delay, &t.tcp_inactivity, &t.udp_inactivity,
          &t.icmp_inactivity, &t.unknown_ip_inactivity, &t.ftp_inactivity, &t.fragment, &t.fragment_ipv6})
        *timeout = next += kSecond;
    const PipelineOptions o = pipeline_options(config, RunKeys::make(1), true);
    CHECK(o.conn.tcp.attempt_delay == t.tcp_attempt_delay);
    CHECK(o.conn.tcp.close_delay == t.tcp_close_delay);
    CHECK(o.conn.tcp.reset_delay == t.tcp_reset_delay);
    CHECK(o.conn.inactivity[Inactivity::tcp] == t.tcp_inactivity);
    CHECK(o.conn.inactivity[Inactivity::udp] == t.udp_inactivity);
    CHECK(o.conn.inactivity[Inactivity::icmp] == t.icmp_inactivity);
    CHECK(o.conn.inactivity[Inactivity::unknown_ip] == t.unknown_ip_inactivity);
    CHECK(o.conn.inactivity[Inactivity::ftp] == t.ftp_inactivity);
    CHECK(o.decode.fragment_timeouts.ipv4 == t.fragment);
    CHECK(o.decode.fragment_timeouts.ipv6 == t.fragment_ipv6);
}

TEST_CASE("a group that is not there is the configuration's fault, and its key is said") {
    Config config;
    config.log.group = "no-such-group";
    std::string said;
    try {
        log_place(config);
    } catch (const ConfigError& error) {
        said = error.what();
    }
    CHECK(said == "log.group: there is no group 'no-such-group' on this machine; try: groupadd no-such-group");
    config.log.group.clear();
    CHECK_FALSE(log_place(config).group);
}
