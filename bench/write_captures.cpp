// Writes the captures that `whole.py` reads: pcap files of FTP sessions, of short connections, of bulk transfers.
//
// Connections follow one script a capture. They begin one after the other, at even distances, so that as many are live
// at any time as the capture is said to have, and each packet is of another connection than the one before it (in bulk
// transfers: each twentieth). Deterministic, streamed: memory does not grow with the file.
//
//     write_captures (ftp | short | bulk) FILE
#include "bench/traffic.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include <pcap/pcap.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;
using Tcp = FrameBatch::Tcp;

constexpr std::uint8_t kFlagFin = 1, kFlagSyn = 2, kFlagPsh = 8, kFlagAck = 16;
constexpr std::uint32_t kFullPayload = 1460;
constexpr Timestamp kStart = 1'597'559'161 * kSecond;

// What one connection, or a session with its data connections, sends, from its first packet to its last.
class Script {
public:
    // Begins a connection with its handshake; what follows belongs to it, until the next open().
    Script& open(std::uint16_t server_port) {
        server_port_ = server_port;
        client_ = server_ = 0;
        add({.flags = kFlagSyn});
        client_ = 1;
        add({.from_client = false, .flags = kFlagSyn | kFlagAck});
        server_ = 1;
        return add({.flags = kFlagAck});
    }
    Script& send(bool from_client, std::uint32_t bytes) {
        add({.from_client = from_client, .flags = kFlagPsh | kFlagAck, .payload = bytes});
        (from_client ? client_ : server_) += bytes;
        return *this;
    }
    Script& say(bool from_client, std::string_view text) {
        add({.from_client = from_client, .flags = kFlagPsh | kFlagAck, .text = text});
        (from_client ? client_ : server_) += static_cast<std::uint32_t>(text.size());
        return *this;
    }
    Script& acknowledge(bool by_client) { return add({.from_client = by_client, .flags = kFlagAck}); }
    Script& close(bool client_first) {
        for (const bool from_client : {client_first, !client_first}) {
            add({.from_client = from_client, .flags = kFlagFin | kFlagAck});
            ++(from_client ? client_ : server_);
        }
        return acknowledge(client_first);
    }

    const std::vector<Tcp>& steps() const { return steps_; }

    // A control connection around its data connections: what it had sent is remembered while those are written.
    struct Place {
        std::uint16_t server_port;
        std::uint32_t client, server;
    };
    Place leave() const { return {server_port_, client_, server_}; }
    void enter(const Place& p) { server_port_ = p.server_port, client_ = p.client, server_ = p.server; }

private:
    Script& add(Tcp segment) {
        segment.server_port = server_port_;
        segment.seq = segment.from_client ? client_ : server_;
        segment.ack = segment.from_client ? server_ : client_;
        steps_.push_back(segment);
        return *this;
    }

    std::vector<Tcp> steps_;
    std::uint16_t server_port_ = 0;
    std::uint32_t client_ = 0, server_ = 0;
};

// What a registry's statistics look like: lines of text, whose type has to be found out.
std::string statistics(std::size_t bytes) {
    std::string text = "2|afrinic|20200816|5123|00000000|20200816|00000\n";
    for (int i = 0; text.size() < bytes; ++i)
        text += "afrinic|ZA|ipv4|41." + std::to_string(i % 256) + ".0.0|65536|20050413|allocated\n";
    text.resize(bytes);
    return text;
}

// A mirroring client: a login, and three small files, each over a data connection of its own.
Script ftp_session() {
    static const std::string first = statistics(kFullPayload), rest = statistics(540);
    static constexpr std::string_view replies[] = {"229 Entering Extended Passive Mode (|||40001|).\r\n",
                                                   "229 Entering Extended Passive Mode (|||40002|).\r\n",
                                                   "229 Entering Extended Passive Mode (|||40003|).\r\n"};
    Script s;
    s.open(21).say(false, "220 Welcome to the FTP service\r\n");
    s.say(true, "USER anonymous\r\n").say(false, "331 Please specify the password.\r\n");
    s.say(true, "PASS ftp@example.com\r\n").say(false, "230 Login successful.\r\n");
    s.say(true, "CWD /pub/stats/afrinic\r\n").say(false, "250 Directory successfully changed.\r\n");
    s.say(true, "TYPE I\r\n").say(false, "200 Switching to Binary mode.\r\n");
    std::uint16_t port = 40001;
    for (const std::string_view reply : replies) {
        s.say(true, "SIZE delegated-afrinic-extended\r\n").say(false, "213 2000\r\n");
        s.say(true, "EPSV\r\n").say(false, reply);
        const Script::Place control = s.leave();
        s.open(port++);
        const Script::Place data = s.leave();
        s.enter(control);
        s.say(true, "RETR delegated-afrinic-extended\r\n").say(false, "150 Opening BINARY mode data connection.\r\n");
        const Script::Place waiting = s.leave();
        s.enter(data);
        s.say(false, first).say(false, rest).acknowledge(true).close(false);
        s.enter(waiting);
        s.say(false, "226 Transfer complete.\r\n").acknowledge(true);
    }
    s.say(true, "QUIT\r\n").say(false, "221 Goodbye.\r\n").close(true);
    return s;
}

// A request and its answer, in ten packets.
Script short_connection() {
    Script s;
    s.open(8443).send(true, 100).send(false, 400).acknowledge(true).send(false, 400).close(true);
    return s;
}

// A download in full-size packets, every second one acknowledged.
Script bulk_transfer() {
    Script s;
    s.open(8443).send(true, 100);
    for (int i = 0; i < 1300; ++i) {
        s.send(false, kFullPayload);
        if (i % 2 == 1) s.acknowledge(true);
    }
    s.close(true);
    return s;
}

struct Capture {
    std::string_view name;
    Script (*script)();
    std::uint32_t count, live; // how often the script runs, and how many of it at a time
    Duration gap;              // between packets
};

constexpr Capture kCaptures[] = {
    {"ftp", ftp_session, 10'000, 2'000, 10 * kMicrosecond},
    {"short", short_connection, 200'000, 100'000, 10 * kMicrosecond},
    {"bulk", bulk_transfer, 500, 100, 2 * kMicrosecond},
};

void write(const Capture& capture, const char* path) {
    pcap_t* const dead = pcap_open_dead(DLT_EN10MB, 65535);
    pcap_dumper_t* const dumper = pcap_dump_open(dead, path);
    if (dumper == nullptr) throw std::runtime_error(pcap_geterr(dead));
    const Script script = capture.script();
    const std::vector<Tcp>& steps = script.steps();
    FrameBatch one(1, 14 + 40 + kFullPayload);
    Timestamp now = kStart;
    const std::size_t slots = capture.count + capture.live;
    for (std::size_t slot = 0; slot < slots; ++slot) {
        for (std::size_t step = 0; step < steps.size(); ++step) {
            // The flow that began so long ago that this step is due; wraps around where there is none.
            const std::size_t flow = slot - step * capture.live / steps.size();
            if (flow >= capture.count) continue;
            Tcp segment = steps[step];
            segment.flow = static_cast<std::uint32_t>(flow);
            one.clear();
            one.add(segment);
            PacketView packet;
            one.view(0, now += capture.gap, packet);
            pcap_pkthdr header{};
            header.ts.tv_sec = now / kSecond;
            header.ts.tv_usec = now % kSecond / kMicrosecond;
            header.caplen = header.len = packet.captured;
            pcap_dump(reinterpret_cast<u_char*>(dumper), &header, packet.data);
        }
    }
    const bool failed = pcap_dump_flush(dumper) != 0 || std::ferror(pcap_dump_file(dumper)) != 0;
    pcap_dump_close(dumper);
    pcap_close(dead);
    if (failed) throw std::runtime_error(std::string(path) + ": could not be written");
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view name = argc == 3 ? argv[1] : "";
    const auto* const capture =
        std::find_if(std::begin(kCaptures), std::end(kCaptures), [&](const Capture& c) { return c.name == name; });
    if (capture == std::end(kCaptures)) {
        std::fputs("usage: write_captures (ftp | short | bulk) FILE\n", stderr);
        return 2;
    }
    try {
        write(*capture, argv[2]);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "write_captures: %s\n", e.what());
        return 1;
    }
}
