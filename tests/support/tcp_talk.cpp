#include "tests/support/tcp_talk.h"

#include <algorithm>
#include <stdexcept>

namespace ftpsensor::test {
namespace {

// How much of the sequence space a segment takes (RFC 9293 3.4).
std::uint32_t sequence_length(const TalkSegment& segment) {
    const bool syn = (segment.flags & kFlagSyn) != 0;
    const bool fin = (segment.flags & kFlagFin) != 0;
    return static_cast<std::uint32_t>(segment.text.size()) + (syn ? 1 : 0) + (fin ? 1 : 0);
}

} // namespace

TcpTalk::TcpTalk(Trace& trace, const TalkOptions& options) : trace_(&trace), options_(options) {
    host(Side::client) = {options.client_isn + 1, options.server_isn + 1, {}};
    host(Side::server) = {options.server_isn + 1, options.client_isn + 1, {}};
}

TcpTalk& TcpTalk::open() {
    before_open();
    return send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client);
}

TcpTalk& TcpTalk::before_open() {
    host(Side::client) = {options_.client_isn, 0, {}};
    host(Side::server) = {options_.server_isn, 0, {}};
    return *this;
}

TcpTalk& TcpTalk::say(Side side, std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = std::min(text.size(), options_.segment_size);
        const bool last = size == text.size();
        const std::uint8_t flags = last ? kFlagPsh | kFlagAck : kFlagAck;
        send(side, {.flags = flags, .text = std::string(text.substr(0, size))});
        if (options_.acks) ack(other(side));
        text.remove_prefix(size);
    }
    return *this;
}

TcpTalk& TcpTalk::ack(Side side) { return send(side, {.flags = kFlagAck}); }

TcpTalk& TcpTalk::fin(Side side) {
    send(side, {.flags = kFlagFin | kFlagAck});
    return options_.acks ? ack(other(side)) : *this;
}

TcpTalk& TcpTalk::rst(Side side) { return send(side, {.flags = kFlagRst | kFlagAck}); }

TcpTalk& TcpTalk::close(Side first) {
    send(first, {.flags = kFlagFin | kFlagAck}).send(other(first), {.flags = kFlagFin | kFlagAck});
    return ack(first);
}

TcpTalk& TcpTalk::send(Side side, const TalkSegment& segment) {
    Host& sender = host(side);
    TalkSegment filled = segment;
    filled.seq = segment.seq.value_or(sender.next_seq);
    filled.ack = segment.ack.value_or((segment.flags & kFlagAck) != 0 ? sender.received : 0);
    if (to_lose_ > 0) {
        --to_lose_;
    } else {
        trace_->add(headers(side, filled));
    }
    const std::uint32_t length = sequence_length(segment);
    if (length > 0) sender.last = filled;
    if (!segment.seq) { // a segment out of order by intention leaves the conversation where it was
        sender.next_seq += length;
        host(other(side)).received = sender.next_seq;
    }
    return *this;
}

TcpTalk& TcpTalk::retransmit(Side side) {
    if (sequence_length(host(side).last) == 0) throw std::logic_error("retransmit: nothing was sent");
    TalkSegment again = host(side).last;
    if ((again.flags & kFlagAck) != 0) again.ack = host(side).received; // as the host now stands
    return send(side, again);
}

TcpTalk& TcpTalk::lose_next(std::size_t packets) {
    to_lose_ += packets;
    return *this;
}

TcpTalk& TcpTalk::skip(Side side, std::uint32_t count) {
    host(side).next_seq += count;
    host(other(side)).received += count;
    return *this;
}

std::vector<Header> TcpTalk::headers(Side side, const TalkSegment& segment) const {
    const bool from_client = side == Side::client;
    const TalkEnd& source = from_client ? options_.client : options_.server;
    const TalkEnd& destination = from_client ? options_.server : options_.client;
    std::vector<Header> result = options_.below;
    if (!from_client && !result.empty()) {
        if (auto* ethernet = std::get_if<Ethernet>(&result.front())) std::swap(ethernet->source, ethernet->destination);
    }
    if (source.address.is_v4()) {
        result.emplace_back(Ipv4{.source = source.address, .destination = destination.address});
    } else {
        result.emplace_back(Ipv6{.source = source.address, .destination = destination.address});
    }
    Tcp tcp{.source_port = source.port, .destination_port = destination.port};
    tcp.seq = segment.seq.value_or(0);
    tcp.ack = segment.ack.value_or(0);
    tcp.flags = segment.flags;
    tcp.window = segment.window;
    tcp.checksum = segment.checksum;
    if ((segment.flags & kFlagSyn) != 0) tcp.options = options_.syn_options;
    if (options_.timestamps) {
        const auto value = static_cast<std::uint32_t>(trace_->now() / kMillisecond);
        tcp.options.timestamps = {value, (segment.flags & kFlagAck) != 0 ? value : 0};
    }
    result.emplace_back(tcp);
    result.emplace_back(Payload{segment.text});
    return result;
}

} // namespace ftpsensor::test
