#include "bench/log_inputs.h"

#include "config/config.h"

#include <cstring>
#include <random>

namespace ftpsensor::bench {

namespace {

constexpr Timestamp kBegin = 1597559161 * kSecond;

IpAddress random_address(std::mt19937_64& random, bool v6) {
    const std::uint64_t r = random();
    if (!v6)
        return IpAddress::from_v4(10, static_cast<std::uint8_t>(r % 4), static_cast<std::uint8_t>(r >> 8),
                                  static_cast<std::uint8_t>(r >> 16));
    std::uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
    std::memcpy(bytes + 8, &r, sizeof r);
    return IpAddress::from_v6(bytes);
}

EndpointId random_endpoints(std::mt19937_64& random, std::uint16_t port) {
    const bool v6 = random() % 8 == 0;
    return {random_address(random, v6), static_cast<std::uint16_t>(32768 + random() % 28000),
            random_address(random, v6), port};
}

std::vector<std::string> some_paths() {
    std::vector<std::string> paths;
    std::mt19937_64 random(3);
    for (int i = 0; i < 1000; ++i)
        paths.push_back("ftp://196.216.2.24/pub/stats/afrinic/delegated-" + std::to_string(random() % 100'000) +
                        ".md5");
    return paths;
}

} // namespace

std::vector<ConnEntry> conn_entries(std::size_t count) {
    static constexpr std::string_view histories[] = {"ShAdDafF", "ShAdDaFf", "S", "Dd", "ShADadfF", "ShADadR", "Sr"};
    static constexpr std::uint16_t ports[] = {21, 22, 80, 443, 53, 8080};
    std::mt19937_64 random(1);
    std::vector<ConnEntry> entries(count);
    Timestamp now = kBegin;
    for (ConnEntry& e : entries) {
        now += static_cast<Timestamp>(random() % 2000); // a million a second
        e.write_ts = now;
        e.ts = now - static_cast<Timestamp>(random() % (20 * kSecond));
        e.uid = {static_cast<std::uint32_t>(random()), random()};
        e.id = random_endpoints(random, ports[random() % 6]);
        e.proto = random() % 5 == 0 ? Transport::udp : Transport::tcp;
        e.services = e.id.resp_p == 21 ? kServiceFtp : 0;
        e.duration = zeek_seconds(now) - zeek_seconds(e.ts);
        e.orig_bytes = random() % 5000;
        e.resp_bytes = random() % 500'000;
        e.state = static_cast<ConnState>(random() % 13);
        e.local_orig = true;
        e.local_resp = random() % 2 == 0;
        e.history = histories[random() % 7];
        e.orig_pkts = random() % 60;
        e.orig_ip_bytes = *e.orig_bytes + e.orig_pkts * 40;
        e.resp_pkts = random() % 400;
        e.resp_ip_bytes = *e.resp_bytes + e.resp_pkts * 40;
        e.ip_proto = e.proto == Transport::tcp ? 6 : 17;
    }
    return entries;
}

std::vector<FtpEntry> ftp_entries(std::size_t count) {
    static const std::vector<std::string> paths = some_paths();
    std::mt19937_64 random(2);
    std::vector<FtpEntry> entries(count);
    Timestamp now = kBegin;
    for (FtpEntry& e : entries) {
        now += static_cast<Timestamp>(random() % 2000);
        e.write_ts = now;
        e.ts = now - static_cast<Timestamp>(random() % kSecond);
        e.uid = {static_cast<std::uint32_t>(random()), random()};
        e.id = random_endpoints(random, 21);
        e.user = "anonymous";
        e.password = "ftp@example.com";
        if (random() % 2 == 0) {
            e.command = "EPSV";
            e.reply_code = 229;
            e.reply_msg = "Entering Extended Passive Mode (|||31746|).";
            e.data_channel = DataChannel{true, e.id.orig_h, e.id.resp_h, static_cast<std::uint16_t>(random())};
        } else {
            e.command = "RETR";
            e.arg = paths[random() % paths.size()];
            e.file_size = random() % 1'000'000;
            e.reply_code = 226;
            e.reply_msg = "Transfer complete.";
            e.fuid = Id96{static_cast<std::uint32_t>(random()), random()};
        }
    }
    return entries;
}

std::vector<ConnRecord> conn_records(const std::vector<ConnEntry>& entries) {
    std::vector<ConnRecord> records;
    std::mt19937_64 random(3);
    for (const ConnEntry& e : entries) {
        ConnRecord r;
        r.key = {e.write_ts, 0, {}, 0xffffffff};
        r.start = e.ts;
        r.last = e.write_ts;
        r.first_seq = static_cast<std::uint32_t>(random());
        r.id = e.id;
        r.proto = e.proto;
        r.ip_proto = e.ip_proto;
        r.state = e.state;
        r.services = e.services;
        r.history_size = static_cast<std::uint8_t>(e.history.size());
        std::memcpy(r.history, e.history.data(), e.history.size());
        r.orig_bytes = *e.orig_bytes;
        r.resp_bytes = *e.resp_bytes;
        r.orig_pkts = e.orig_pkts;
        r.orig_ip_bytes = e.orig_ip_bytes;
        r.resp_pkts = e.resp_pkts;
        r.resp_ip_bytes = e.resp_ip_bytes;
        records.push_back(r);
    }
    return records;
}

EntryOptions entry_options() {
    EntryOptions options;
    options.format.system_name = "ds61";
    options.format.node = "worker-01";
    options.transfers.hash_secret = 0x9e3779b97f4a7c15;
    options.local_networks = Config{}.local_networks;
    return options;
}

} // namespace ftpsensor::bench
