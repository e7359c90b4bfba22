#include "core/packet/fragments.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace ftpsensor::test {
namespace {

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
    return text;
}

std::vector<Bytes> fragments_of(bool v6, const std::string& payload, std::size_t size, std::uint16_t id = 1) {
    const Header header = v6 ? Header{Ipv6{}} : Header{Ipv4{.id = id}};
    return build_fragments({Ethernet{}, header, Udp{.source_port = 5}, Payload{payload}}, size, id);
}

// An IPv4 fragment with `data` at `offset`.
Bytes piece(std::uint16_t offset, bool more, const std::string& data, std::uint16_t id = 1,
            bool dont_fragment = false) {
    return build({Ethernet{},
                  Ipv4{.id = id,
                       .dont_fragment = dont_fragment,
                       .more_fragments = more,
                       .fragment_offset = offset,
                       .protocol = 253},
                  Payload{data}});
}

} // namespace

TEST_CASE("fragments in any order give the datagram, once") {
    const std::string payload = pattern(5000);
    for (const bool v6 : {false, true}) {
        for (const std::size_t size : {8u, 1024u, 1480u, 4000u}) {
            std::vector<Bytes> fragments = fragments_of(v6, payload, size);
            std::mt19937 random(static_cast<unsigned>(size));
            Decoding decoding;
            for (int order = 0; order < 5; ++order) {
                std::size_t layers = 0;
                for (const Bytes& fragment : fragments) layers += decoding.decode(fragment).layer_count;
                REQUIRE(layers == 1);
                CHECK(payload_text(decoding.last()) == payload);
                CHECK(decoding.last().source_port == 5);
                CHECK(decoding.last().payload_length == payload.size());
                CHECK(decoding.last().ip_length == (v6 ? 40 : 20) + 8 + payload.size());
                std::shuffle(fragments.begin(), fragments.end(), random);
            }
            CHECK(decoding.count(Event::fragment_overlap) == 0);
        }
    }
}

TEST_CASE("an IPv6 fragment that is the whole datagram gives it at once") {
    Decoding decoding;
    REQUIRE(decoding.decode(build({Ipv6{}, Ipv6Fragment{}, Udp{}, Payload{"atomic"}}), LinkType::raw_ip).layer_count ==
            1);
    CHECK(payload_text(decoding.last()) == "atomic");
    CHECK(decoding.last().ip_length == 40 + 8 + 6); // without the fragment header
}

TEST_CASE("an IPv6 fragment that is the whole datagram is held against no other fragment") { // RFC 6946
    Decoding decoding;
    const auto decode = [&decoding](const std::vector<Header>& headers) {
        return decoding.decode(build(headers), LinkType::raw_ip).layer_count;
    };
    const Payload other = {pattern(80)};
    CHECK(decode({Ipv6{}, Ipv6Fragment{.more = true, .next_header = 17}, other}) == 0);
    REQUIRE(decode({Ipv6{}, Ipv6Fragment{}, Udp{}, Payload{"atomic"}}) == 1);
    CHECK(payload_text(decoding.last()) == "atomic");
    // Headers behind it are read, also in a packet that was cut.
    const Bytes packet = build({Ipv6{}, Ipv6Fragment{}, Ipv6Extension{.kind = 60}, Udp{}, Payload{"atomic"}});
    REQUIRE(decoding.decode(packet, LinkType::raw_ip).layer_count == 1);
    CHECK(payload_text(decoding.last()) == "atomic");
    REQUIRE(decoding.decode(cut(packet, packet.size() - 2), LinkType::raw_ip, 40 + 8 + 8 + 8 + 6).layer_count == 1);
    CHECK(payload_text(decoding.last()) == "atom");
    // And so are those in front of fragments.
    CHECK(decode({Ipv6{}, Ipv6Fragment{.id = 7}, Ipv6Fragment{.id = 8, .more = true, .next_header = 253}, other}) == 0);
    REQUIRE(decode({Ipv6{}, Ipv6Fragment{.id = 8, .offset = 80, .next_header = 253}, other}) == 1);
    CHECK(payload_text(decoding.last()) == pattern(80) + pattern(80));
    CHECK(decoding.count(Event::fragment_overlap) == 0);
    // The other fragment waits on.
    REQUIRE(decode({Ipv6{}, Ipv6Fragment{.offset = 80, .next_header = 17}, Payload{"rest"}}) == 1);
    CHECK(decoding.count(Event::incompletely_captured_fragment) == 0);
}

TEST_CASE("an IPv4 datagram is told by its protocol, too; an IPv6 one is not") { // RFC 791 3.2, RFC 8200 4.5
    Decoding decoding;
    const auto v4 = [&decoding](std::uint8_t protocol, std::uint16_t offset, char text) {
        return decoding
            .decode(build({Ipv4{.more_fragments = offset == 0, .fragment_offset = offset, .protocol = protocol},
                           Payload{std::string(64, text)}}),
                    LinkType::raw_ip)
            .layer_count;
    };
    CHECK(v4(253, 0, 'a') == 0);
    CHECK(v4(254, 0, 'x') == 0);
    REQUIRE(v4(253, 64, 'b') == 1);
    CHECK(decoding.last().ip_proto == 253);
    CHECK(payload_text(decoding.last()) == std::string(64, 'a') + std::string(64, 'b'));
    REQUIRE(v4(254, 64, 'y') == 1);
    CHECK(decoding.last().ip_proto == 254);
    CHECK(payload_text(decoding.last()) == std::string(64, 'x') + std::string(64, 'y'));
    CHECK(decoding.count_all() == 0);

    const auto v6 = [&decoding](std::uint8_t protocol, std::uint16_t offset) {
        return decoding
            .decode(build({Ipv6{}, Ipv6Fragment{.offset = offset, .more = offset == 0, .next_header = protocol},
                           Payload{std::string(64, 'z')}}),
                    LinkType::raw_ip)
            .layer_count;
    };
    CHECK(v6(253, 0) == 0);
    REQUIRE(v6(254, 64) == 1);
    CHECK(decoding.last().ip_proto == 253); // as its first fragment says
    CHECK(decoding.count(Event::fragment_protocol_inconsistency) == 1);
}

TEST_CASE("extension headers behind the fragment header are read from the datagram") {
    Decoding decoding;
    std::size_t layers = 0;
    for (const Bytes& fragment :
         build_fragments({Ipv6{}, Ipv6Extension{.kind = 60, .body = Bytes(30, 0)}, Tcp{}, Payload{pattern(60)}}, 16)) {
        layers += decoding.decode(fragment, LinkType::raw_ip).layer_count;
    }
    REQUIRE(layers == 1);
    CHECK(decoding.last().transport == Transport::tcp);
    CHECK(payload_text(decoding.last()) == pattern(60));
}

TEST_CASE("bytes that come twice: the first ones stay") {
    Decoding decoding;
    decoding.decode(piece(8, true, std::string(16, 'B')));
    decoding.decode(piece(8, true, std::string(16, 'B')));
    CHECK(decoding.count(Event::fragment_overlap) == 1);
    decoding.decode(piece(0, true, std::string(16, 'A')));
    CHECK(decoding.count(Event::fragment_inconsistency) == 1);
    REQUIRE(decoding.decode(piece(16, false, std::string(16, 'C'))).layer_count == 1);
    CHECK(decoding.count(Event::fragment_inconsistency) == 2);
    CHECK(payload_text(decoding.last()) == "AAAAAAAABBBBBBBBBBBBBBBBCCCCCCCC");
}

TEST_CASE("fragments that disagree on the size") {
    Decoding decoding; // the last fragment, and one that goes beyond it
    decoding.decode(piece(16, false, std::string(8, 'L')));
    decoding.decode(piece(24, true, std::string(8, 'X')));
    CHECK(decoding.count(Event::fragment_size_inconsistency) == 1);
    REQUIRE(decoding.decode(piece(0, true, std::string(16, 'A'))).layer_count == 1);
    CHECK(decoding.last().payload_length == 32);

    Decoding other; // two last fragments: the greater end holds
    other.decode(piece(16, false, std::string(8, 'L')));
    other.decode(piece(24, false, std::string(8, 'M')));
    CHECK(other.count(Event::fragment_size_inconsistency) == 1);
    REQUIRE(other.decode(piece(0, true, std::string(16, 'A'))).layer_count == 1);
    CHECK(other.last().payload_length == 32);
}

TEST_CASE("a fragment in the middle whose size is no multiple of 8: of IPv4 its end is left out, of IPv6 all of it") {
    Decoding decoding;
    decoding.decode(piece(0, true, std::string(21, 'A')));
    CHECK(decoding.count(Event::fragment_size_inconsistency) == 1);
    REQUIRE(decoding.decode(piece(16, false, std::string(5, 'B'))).layer_count == 1); // the last one may be of any
    CHECK(payload_text(decoding.last()) == std::string(16, 'A') + std::string(5, 'B'));
    decoding.decode(piece(0, true, std::string(7, 'A')));
    CHECK(decoding.decode(piece(0, true, std::string(8, 'C'))).layer_count == 0);
    REQUIRE(decoding.decode(piece(8, false, "D")).layer_count == 1);
    CHECK(payload_text(decoding.last()) == "CCCCCCCCD");

    const auto six = [&decoding](std::uint16_t offset, bool more, const std::string& data) {
        return decoding
            .decode(build({Ipv6{}, Ipv6Fragment{.offset = offset, .more = more, .next_header = 253}, Payload{data}}),
                    LinkType::raw_ip)
            .layer_count;
    };
    CHECK(six(0, true, std::string(21, 'A')) == 0);
    CHECK(decoding.count(Event::fragment_size_inconsistency) == 3);
    CHECK(six(16, false, "BBBBB") == 0);
    REQUIRE(six(0, true, std::string(16, 'C')) == 1);
    CHECK(payload_text(decoding.last()) == std::string(16, 'C') + "BBBBB");
    CHECK(decoding.count(Event::fragment_overlap) == 0);
}

TEST_CASE("odd fragments are named") {
    Decoding decoding;
    decoding.decode(piece(0, true, std::string(16, 'A'), 1, true));
    CHECK(decoding.count(Event::fragment_with_DF) == 1);
    CHECK(decoding.count(Event::excessively_small_fragment) == 1);
    decoding.decode(build(
        {Ethernet{}, Ipv4{.more_fragments = true, .fragment_offset = 800, .options = Bytes(4, 1), .protocol = 253},
         Payload{pattern(64)}}));
    CHECK(decoding.count(Event::fragment_protocol_inconsistency) == 1);
    decoding.decode(piece(65528, false, pattern(64))); // the ping of death: beyond any datagram
    CHECK(decoding.count(Event::excessively_large_fragment) == 1);
    CHECK(decoding.out().layer_count == 0);
}

TEST_CASE("a fragment that was not captured whole is left out, but for the first one's header") {
    const std::vector<Bytes> fragments = fragments_of(false, pattern(2000), 1024);
    const auto on_wire = static_cast<std::uint32_t>(fragments[0].size());
    Decoding decoding;
    REQUIRE(decoding.decode(cut(fragments[0], 100), LinkType::ethernet, on_wire).layer_count == 1);
    CHECK(decoding.last().source_port == 5);
    CHECK(decoding.decode(cut(fragments[1], 100), LinkType::ethernet, 900).layer_count == 0);
    CHECK(decoding.count(Event::truncated_IP_len) == 1);
    CHECK(decoding.decode(cut(fragments[1], 100), LinkType::ethernet, on_wire).layer_count == 0);
    CHECK(decoding.count(Event::incompletely_captured_fragment) == 2);
}

TEST_CASE("a datagram is forgotten after its timeout, whenever looked at") {
    const DecodeOptions options = {.fragment_timeouts = {.ipv4 = kSecond, .ipv6 = kMinute}};
    const std::vector<Bytes> fragments = fragments_of(true, pattern(2000), 1024);
    Decoding decoding(options);
    decoding.decode(fragments[0]);
    decoding.now += kMinute - 1;
    CHECK(decoding.decode(fragments[1]).layer_count == 1); // just in time
    decoding.decode(fragments[0]);
    decoding.now += kMinute;
    CHECK(decoding.decode(fragments[1]).layer_count == 0);
    CHECK(decoding.count(Event::fragment_timeout) == 1);
    CHECK(decoding.decode(fragments[0]).layer_count == 1); // the late one began a datagram of its own
}

TEST_CASE("a fragment waits as long as hosts let it, IPv4's for less than IPv6's") {
    for (const bool v6 : {false, true}) {
        const Duration timeout = v6 ? kMinute : 30 * kSecond;
        const std::vector<Bytes> fragments = fragments_of(v6, pattern(2000), 1024);
        Decoding decoding;
        decoding.decode(fragments[0]);
        decoding.now += timeout - 1;
        CHECK(decoding.decode(fragments[1]).layer_count == 1);
        decoding.decode(fragments[0]);
        decoding.now += timeout;
        CHECK(decoding.decode(fragments[1]).layer_count == 0);
    }
}

TEST_CASE("the oldest datagram makes room for the one too many") {
    Decoding decoding({.fragment_datagrams_max = 2});
    decoding.decode(piece(0, true, pattern(64), 1));
    decoding.decode(piece(0, true, pattern(64), 2));
    decoding.decode(piece(0, true, pattern(64), 3));
    CHECK(decoding.count(Event::fragment_evicted) == 1);
    CHECK(decoding.decode(piece(64, false, pattern(8), 3)).layer_count == 1);
    CHECK(decoding.decode(piece(64, false, pattern(8), 2)).layer_count == 1);
    CHECK(decoding.decode(piece(64, false, pattern(8), 1)).layer_count == 0);
}

TEST_CASE("memory is bounded by pages, and comes back") {
    EventCounters events;
    constexpr std::size_t pages = 8;
    FragmentTable table(pages * FragmentTable::page_size(), 1000, {}, false, events);
    const std::string data = pattern(1024);
    std::vector<std::uint8_t> out(kMaxDatagramPayload);
    const auto add = [&](std::uint32_t id, std::uint32_t offset, bool more) {
        Fragment fragment;
        fragment.key.id = id;
        fragment.offset = offset;
        fragment.more = more;
        fragment.header_length = 20;
        fragment.total_length = 1044;
        fragment.data = reinterpret_cast<const std::uint8_t*>(data.data());
        fragment.size = 1024;
        Datagram whole;
        return table.add(fragment, kSecond, out.data(), whole);
    };
    for (std::uint32_t id = 0; id < 1000; ++id) {
        CHECK_FALSE(add(id, 0, true));
        REQUIRE(table.pages() <= pages);
    }
    CHECK(table.datagrams() == pages);
    CHECK(events.value(Event::fragment_evicted) == 1000 - pages);
    for (std::uint32_t id = 1000 - pages; id < 1000; ++id) {
        // Each one needs a second page, which the oldest others give; the last half are whole.
        add(id, 1024, false);
    }
    CHECK(table.pages() <= pages);
    // One datagram alone that is larger than all memory gives up itself.
    for (std::uint32_t offset = 0; offset < 32 * 1024; offset += 1024) CHECK_FALSE(add(5000, offset, true));
    CHECK(events.value(Event::fragment_memory) > 0);
    CHECK(table.pages() <= pages);
}

TEST_CASE("tiny fragments cost no more than the bytes they spread over") {
    EventCounters events;
    FragmentTable table(4 * FragmentTable::page_size(), 10, {}, false, events);
    std::vector<std::uint8_t> out(kMaxDatagramPayload);
    const std::uint8_t byte = 7;
    Datagram whole;
    bool complete = false;
    for (std::uint32_t offset = 0; offset < 4096; ++offset) {
        Fragment fragment;
        fragment.offset = offset;
        fragment.more = offset != 4095;
        fragment.header_length = 20;
        fragment.total_length = 21;
        fragment.data = &byte;
        fragment.size = 1;
        complete = table.add(fragment, kSecond, out.data(), whole);
    }
    CHECK(complete);
    CHECK(whole.size == 4096);
    CHECK(table.pages() == 0);
    CHECK(table.datagrams() == 0);
    CHECK(events.value(Event::fragment_evicted) == 0);
}

TEST_CASE("no memory at all takes no fragment") {
    Decoding no_pages({.fragment_bytes_max = 0});
    CHECK(no_pages.decode(piece(0, true, pattern(64))).layer_count == 0);
    CHECK(no_pages.count(Event::fragment_memory) == 1);
    Decoding no_datagrams({.fragment_datagrams_max = 0});
    CHECK(no_datagrams.decode(piece(0, true, pattern(64))).layer_count == 0);
    CHECK(no_datagrams.count(Event::fragment_memory) == 1);
}

TEST_CASE("random pieces against a plain array") {
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        EventCounters events;
        FragmentTable table(16 * 1024, 4, {}, false, events);
        const std::uint32_t size = static_cast<std::uint32_t>(1 + random() % 6000);
        std::vector<std::uint8_t> expected(size);
        std::vector<bool> seen(size, false);
        std::vector<std::uint8_t> out(kMaxDatagramPayload);
        bool last_seen = false;
        bool complete = false;
        while (!complete) {
            Fragment fragment;
            fragment.offset = static_cast<std::uint32_t>(random() % size);
            fragment.size = std::min(static_cast<std::uint32_t>(1 + random() % 1500), size - fragment.offset);
            fragment.more = fragment.offset + fragment.size < size;
            fragment.header_length = 20;
            fragment.total_length = 20 + fragment.size;
            std::vector<std::uint8_t> data(fragment.size);
            for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
            fragment.data = data.data();
            for (std::uint32_t i = 0; i < fragment.size; ++i) {
                if (!seen[fragment.offset + i]) expected[fragment.offset + i] = data[i];
                seen[fragment.offset + i] = true;
            }
            last_seen = last_seen || !fragment.more;
            Datagram whole;
            complete = table.add(fragment, kSecond, out.data(), whole);
            const bool all = last_seen && std::find(seen.begin(), seen.end(), false) == seen.end();
            REQUIRE(complete == all);
            if (complete) REQUIRE(whole.size == size);
        }
        out.resize(size);
        REQUIRE(out == expected);
    }
}

} // namespace ftpsensor::test
