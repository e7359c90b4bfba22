#include "bench/workloads.h"

#include "bench/measure.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ftpsensor::bench {

namespace {

using Tcp = FrameBatch::Tcp;

constexpr Timestamp kStart = 1'597'559'161 * kSecond;
constexpr std::uint8_t kFlagFin = 1, kFlagSyn = 2, kFlagPsh = 8, kFlagAck = 16;

constexpr Tcp kShortConnection[ShortConnections::kPackets] = {
    {.seq = 0, .flags = kFlagSyn},
    {.from_client = false, .seq = 0, .ack = 1, .flags = kFlagSyn | kFlagAck},
    {.seq = 1, .ack = 1, .flags = kFlagAck},
    {.seq = 1, .ack = 1, .flags = kFlagPsh | kFlagAck, .payload = 100},
    {.from_client = false, .seq = 1, .ack = 101, .flags = kFlagPsh | kFlagAck, .payload = 400},
    {.seq = 101, .ack = 401, .flags = kFlagAck},
    {.from_client = false, .seq = 401, .ack = 101, .flags = kFlagPsh | kFlagAck, .payload = 400},
    {.seq = 101, .ack = 801, .flags = kFlagFin | kFlagAck},
    {.from_client = false, .seq = 801, .ack = 102, .flags = kFlagFin | kFlagAck},
    {.seq = 102, .ack = 802, .flags = kFlagAck},
};

constexpr std::pair<std::string_view, std::string_view> kTalk[] = {
    {"", "220 Welcome\r\n"},
    {"USER anonymous\r\n", "331 Please specify the password.\r\n"},
    {"PASS ftp@example.com\r\n", "230 Login successful.\r\n"},
    {"CWD /pub/stats/afrinic\r\n", "250 Directory successfully changed.\r\n"},
    {"TYPE I\r\n", "200 Switching to Binary mode.\r\n"},
    {"EPSV\r\n", "229 Entering Extended Passive Mode (|||31746|).\r\n"},
    {"RETR delegated-afrinic-extended-latest.md5\r\n", "226 Transfer complete.\r\n"},
    {"SIZE delegated-afrinic-extended-latest\r\n", "213 74\r\n"},
    {"MDTM delegated-afrinic-extended-latest\r\n", "213 20200816000102\r\n"},
    {"QUIT\r\n", "221 Goodbye.\r\n"},
};
constexpr std::size_t kSessionFramesMax = 32;

} // namespace

BenchWorker::BenchWorker(std::uint32_t connections_max) : shared_(1), now_(kStart) {
    PipelineOptions options;
    options.conn.connections_max = connections_max;
    options.conn.hash_secret = 0x1234567;
    options.conn.id_key = IdKey::from_seed(1);
    worker_ = std::make_unique<Worker>(0, options, shared_);
}

void BenchWorker::process(const FrameBatch& batch, Duration gap) {
    std::array<PacketView, kBurst> burst;
    for (std::size_t i = 0; i < batch.size(); i += kBurst) {
        const std::size_t n = std::min(kBurst, batch.size() - i);
        for (std::size_t j = 0; j < n; ++j) batch.view(i + j, now_ + gap * static_cast<Duration>(i + j + 1), burst[j]);
        worker_->process_burst({burst.data(), n});
    }
    now_ += gap * static_cast<Duration>(batch.size());
}

double BenchWorker::run(const FrameBatch& batch, Duration gap) {
    const double before = cpu_nanoseconds();
    process(batch, gap);
    const double elapsed = cpu_nanoseconds() - before;
    drain();
    return elapsed;
}

bool LiveTraffic::handshakes(FrameBatch& batch) {
    batch.clear();
    for (; opened_ < flows_ && batch.size() + 6 <= kBatch; ++opened_) {
        const auto add = [&](Tcp segment) {
            segment.flow = opened_;
            batch.add(segment);
        };
        add({.flags = kFlagSyn});
        add({.from_client = false, .ack = 1, .flags = kFlagSyn | kFlagAck});
        add({.seq = 1, .ack = 1, .flags = kFlagAck});
        add({.seq = 1, .ack = 1, .flags = kFlagPsh | kFlagAck, .payload = 6});
        add({.from_client = false, .seq = 1, .ack = 7, .flags = kFlagPsh | kFlagAck, .payload = 6});
        add({.seq = 7, .ack = 7, .flags = kFlagPsh | kFlagAck, .payload = 6});
        sent_[opened_] = {13, 7};
    }
    return batch.size() != 0;
}

void LiveTraffic::fill(FrameBatch& batch) {
    batch.clear();
    while (!batch.full()) {
        const std::uint32_t flow = random_.below(flows_);
        const std::uint32_t payload = payloads_[turn_++ % payloads_.size()];
        Sent& sent = sent_[flow];
        const bool from_client = (turn_ & 1) != 0;
        std::uint32_t& seq = from_client ? sent.client : sent.server;
        batch.add({.flow = flow,
                   .from_client = from_client,
                   .seq = seq,
                   .ack = from_client ? sent.server : sent.client,
                   .flags = kFlagPsh | kFlagAck,
                   .payload = payload});
        seq += payload;
    }
}

void SynFlood::fill(FrameBatch& batch) {
    batch.clear();
    while (!batch.full()) batch.add({.flow = flow_++, .server_port = 80, .flags = kFlagSyn});
}

void ShortConnections::fill(FrameBatch& batch) {
    batch.clear();
    while (!batch.full()) {
        Tcp segment = kShortConnection[step_];
        segment.flow = base_ + at_;
        batch.add(segment);
        if (++at_ < interleave_) continue;
        at_ = 0;
        if (++step_ < kPackets) continue;
        step_ = 0;
        base_ += interleave_;
    }
}

std::uint64_t FtpSessions::fill(FrameBatch& batch) {
    batch.clear();
    std::uint64_t commands = 0;
    while (batch.size() + kSessionFramesMax < kBatch) {
        std::uint32_t client = 1, server = 1;
        const auto add = [&](bool from_client, std::string_view text, std::uint8_t flags) {
            batch.add({.flow = flow_,
                       .server_port = 21,
                       .from_client = from_client,
                       .seq = from_client ? client : server,
                       .ack = from_client ? server : client,
                       .flags = flags,
                       .text = text});
            (from_client ? client : server) += static_cast<std::uint32_t>(text.size());
        };
        batch.add({.flow = flow_, .server_port = 21, .seq = 0, .flags = kFlagSyn});
        batch.add({.flow = flow_, .server_port = 21, .from_client = false, .ack = 1, .flags = kFlagSyn | kFlagAck});
        for (const auto& [command, reply] : kTalk) {
            if (!command.empty()) add(true, command, kFlagPsh | kFlagAck);
            add(false, reply, kFlagPsh | kFlagAck);
            commands += command.empty() ? 0 : 1;
        }
        add(true, {}, kFlagFin | kFlagAck);
        ++client;
        add(false, {}, kFlagFin | kFlagAck);
        ++flow_;
    }
    return commands;
}

} // namespace ftpsensor::bench
