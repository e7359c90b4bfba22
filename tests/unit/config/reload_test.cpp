// A reload: each changed key is taken or needs a restart, as the table of keys says.
#include "config/keys.h"
#include "config/reload.h"
#include "config/yaml_tree.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

Config with(std::initializer_list<std::string_view> overrides) {
    Config config;
    for (const auto each : overrides) apply_override(config, each);
    return config;
}

} // namespace

TEST_CASE("nothing changed: nothing to do") { CHECK(plan_reload(Config{}, Config{}).changes.empty()); }

TEST_CASE("a key that can change is taken, one that cannot waits for a restart") {
    const auto plan =
        plan_reload(Config{}, with({"ftp.passwords=all", "workers.count=2", "log.rotation.interval=1min"}));
    REQUIRE(plan.changes.size() == 3);
    CHECK(plan.changes[0].key == "workers.count");
    CHECK(plan.changes[0].from == "1");
    CHECK(plan.changes[0].to == "2");
    CHECK_FALSE(plan.changes[0].taken);
    CHECK(plan.changes[1].key == "ftp.passwords");
    CHECK(plan.changes[1].taken);
    CHECK(plan.changes[2].taken);
    CHECK(plan.config.workers.count == 1);
    CHECK(plan.config.ftp.passwords == ConfigPasswords::all);
    CHECK(plan.config.log.rotation.interval == kMinute);
    CHECK(plan.takes("ftp"));
    CHECK(plan.takes("log.rotation"));
    CHECK_FALSE(plan.takes("workers"));
    CHECK_FALSE(plan.takes("log.rot"));
    // What waits is told again the next time.
    CHECK(plan_reload(plan.config, with({"ftp.passwords=all", "workers.count=2"})).changes.size() == 2);
}

TEST_CASE("what does not go together is refused as a whole") {
    Config running;
    Config wanted = running;
    wanted.log.flush_interval = kHour;
    wanted.log.rotation.interval = kMinute;
    CHECK_THROWS_AS(plan_reload(running, wanted), ConfigError);
}

TEST_CASE("what the issue asks for can change without a restart") {
    for (const std::string_view path : {"log.rotation.interval",
                                        "log.rotation.time_zone",
                                        "log.file_name",
                                        "log.folder_name",
                                        "log.file_mode",
                                        "log.group",
                                        "log.system_name",
                                        "log.node",
                                        "log.timestamps",
                                        "log.flush_interval",
                                        "log.flush_bytes",
                                        "log.compression_level",
                                        "log.hold",
                                        "ftp.ports",
                                        "ftp.passwords",
                                        "ftp.guest_ids",
                                        "ftp.commands",
                                        "local_networks",
                                        "messages",
                                        "timeouts.tcp_attempt_delay",
                                        "timeouts.udp_inactivity",
                                        "timeouts.ftp_inactivity",
                                        "timeouts.fragment",
                                        "timeouts.fragment_ipv6",
                                        "metrics.port",
                                        "metrics.log_interval",
                                        "log.conn.entries",
                                        "log.conn.interim"}) {
        INFO(path);
        REQUIRE(find_key(path) != nullptr);
        CHECK(find_key(path)->takes_effect == TakesEffect::at_reload);
    }
    for (const std::string_view path : {"capture.ports", "workers.count", "eal.memory", "limits.connections_max",
                                        "ftp.extended", "log.directory", "log.format"}) {
        INFO(path);
        CHECK(find_key(path)->takes_effect == TakesEffect::at_restart);
    }
}

TEST_CASE(
    "what adds or removes a column of the tab-separated form waits: the file that is being written has its header") {
    const auto taken = [](std::string_view format, std::string_view from, std::string_view to) {
        const auto plan = plan_reload(with({format, from}), with({format, to}));
        REQUIRE(plan.changes.size() == 1);
        return plan.changes[0].taken;
    };
    CHECK(taken("log.format=json", R"(log.node="")", "log.node=a"));
    CHECK_FALSE(taken("log.format=tsv", R"(log.node="")", "log.node=a"));
    CHECK_FALSE(taken("log.format=tsv", "log.node=a", R"(log.node="")"));
    CHECK(taken("log.format=tsv", "log.node=a", "log.node=b"));
    CHECK(taken("log.format=json", "log.conn.interim=0", "log.conn.interim=1h"));
    CHECK_FALSE(taken("log.format=tsv", "log.conn.interim=0", "log.conn.interim=1h"));
    CHECK_FALSE(taken("log.format=tsv", "log.conn.interim=1h", "log.conn.interim=0"));
    CHECK(taken("log.format=tsv", "log.conn.interim=1h", "log.conn.interim=5min"));
}

TEST_CASE("every value that can be written can be read back, as a reload does") {
    const Config defaults;
    for (const Key& key : all_keys()) {
        INFO(key.path);
        Config other;
        CHECK_NOTHROW(key.read(parse_yaml(key.write(defaults)), other));
        CHECK(key.write(other) == key.write(defaults));
    }
}
