// Named events: what is odd or damaged in traffic, counted under a name.
//
// Where Zeek raises a weird for the same thing, the name is Zeek's. A worker counts into its own table and keeps the
// uid of the first connection that showed the event; nothing is printed on the hot path. To add one: a line in
// FTPSENSOR_EVENTS. EventCounters: written by one thread; other threads may read counts (relaxed).
#pragma once

#include "core/base/ids.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace ftpsensor {

// clang-format off
#define FTPSENSOR_EVENTS(X)                                                                                       \
    /* frames */                                                                                         \
    X(truncated_ethernet_frame) X(truncated_VLAN_header) X(truncated_snap_llc_header)                    \
    X(truncated_snap_header) X(truncated_link_header) X(truncated_link_header_cfp)                       \
    X(truncated_pppoe_header) X(pppoe_extra_data_after_payload) X(pppoe_truncated_payload)               \
    X(truncated_ppp_header) X(truncated_ppp_hdlc_header) X(truncated_ppp_serial_header)                  \
    X(truncated_Linux_SLL_header) X(truncated_Linux_SLL2_header) X(null_analyzer_failed)                 \
    X(FDDI_analyzer_failed) X(truncated_PBB_header) X(truncated_vntag_header) X(truncated_802_11_header) \
    X(truncated_802_11_llc_header) X(truncated_802_11_amsdu_header) X(truncated_802_11_amsdu_packet)     \
    X(truncated_radiotap_header) X(truncated_nflog_header) X(unknown_nflog_version)                      \
    X(nflog_no_pcap_payload) X(nflog_bad_tlv_len) X(undefined_ether_type) X(undefined_vlan_protocol)     \
    X(max_packet_analyzer_depth_exceeded) X(unknown_ethertype) X(unknown_link_type) X(arp)               \
    X(empty_packet)                                                                                      \
    /* IP */                                                                                                       \
    X(truncated_IP) X(internally_truncated_header) X(truncated_header) X(bad_IP_checksum)          \
    X(invalid_IP_header_size) X(IPv4_min_header_size) X(unknown_ip_version)                                    \
    X(truncated_IP_len) X(ip_hdr_len_zero) X(incompletely_captured_fragment) X(ipv6_no_next)                         \
    X(routing0_hdr) X(esp_packet) X(unknown_routing_type) X(bad_MH_checksum)                                         \
    X(excessively_small_fragment) X(fragment_inconsistency) X(fragment_overlap) X(fragment_protocol_inconsistency)  \
    X(fragment_size_inconsistency) X(excessively_large_fragment) X(fragment_with_DF)                                \
    X(fragment_timeout) X(fragment_evicted) X(fragment_memory)                                                 \
    X(fragment_contradiction)                                                                                  \
    /* tunnels */                                                                                        \
    X(exceeded_tunnel_max_depth) X(tunnel_depth) X(unknown_gre_version) X(truncated_GRE) X(gre_routing)  \
    X(unknown_gre_flags) X(egre_protocol_type) X(non_ip_packet_in_encap) X(invalid_inner_IP_version)     \
    X(truncated_inner_IP) X(inner_IP_payload_length_mismatch) X(bad_vxlan_header) X(vxlan_empty_packet)  \
    X(bad_geneve_header) X(geneve_invalid_version) X(geneve_empty_packet) X(bad_teredo_header)           \
    X(Teredo_bubble_with_payload) X(bad_ayiya_header) X(ayiya_empty_packet) X(bad_gtp_header)            \
    /* transport */                                                                                                \
    X(bad_TCP_checksum) X(bad_UDP_checksum) X(bad_ICMP_checksum) X(bad_TCP_header_len)                               \
    X(UDP_datagram_length_mismatch)                                                                                  \
    X(SYN_seq_jump) X(SYN_inside_connection) X(TCP_seq_underflow_or_misorder) X(TCP_ack_underflow_or_misorder)       \
    X(connection_originator_SYN_ack) X(bad_SYN_ack) X(simultaneous_open) X(unsolicited_SYN_response)                 \
    X(spontaneous_FIN) X(spontaneous_RST) X(repeated_SYN_with_ack) X(repeated_SYN_reply_wo_ack) X(inappropriate_FIN) \
    X(data_before_established) X(SYN_after_partial) X(SYN_after_close) X(FIN_advanced_last_seq) X(SYN_after_reset)   \
    X(FIN_after_reset) X(data_after_reset) X(possible_split_routing) X(active_connection_reuse)                      \
    X(premature_connection_reuse) X(TCP_christmas) X(baroque_SYN) X(SYN_with_data)                                   \
    X(TCP_scale_range) X(truncated_tcp_payload) X(above_hole_data_without_any_acks)                                  \
    X(excessive_data_without_further_acks) X(rexmit_inconsistency)                                                   \
    X(RST_of_unknown_number) X(FIN_of_unknown_number) X(ACK_of_unknown_number) X(segment_without_ACK)          \
    X(segment_of_doubtful_fragments)                                                                           \
    X(tunnel_max_changes_per_connection_exceeded)            \
    /* bounds of ours */                                                                                           \
    X(connection_evicted) X(reassembly_memory) X(history_too_long)                                                   \
    X(ftp_session_limit) X(first_bytes_memory) X(tunnel_parents_limit) X(announcements_full)         \
    X(progress_memory) X(interim_limit)        \
    X(shunt_limit) X(shunt_counts_late)        \
    /* FTP */                                                                                                      \
    X(FTP_invalid_command) X(FTP_max_command_length_exceeded) X(FTP_too_many_pending_commands) X(FTP_user_too_long)  \
    X(FTP_password_too_long) X(FTP_arg_too_long) X(FTP_reply_msg_too_long) X(FTP_too_many_expected_data_channels)    \
    X(partial_ftp_request) X(contentline_size_exceeded)                                                              \
    X(line_terminated_with_single_CR) X(NUL_in_line) X(ftp_violation) X(ftp_session_memory)                          \
    X(ftp_clear_text_after_auth)                                                                                      \
    /* records */                                                                                                  \
    X(conn_record_dropped) X(ftp_record_dropped) X(stream_event_dropped) X(file_type_skipped)
// clang-format on

enum class Event : std::uint16_t {
#define X(name) name,
    FTPSENSOR_EVENTS(X)
#undef X
        count_
};
inline constexpr std::size_t kEventCount = static_cast<std::size_t>(Event::count_);

// The name in summaries, statistics and documentation. Static storage.
std::string_view event_name(Event event);

class EventCounters {
public:
    void count(Event event, std::uint64_t n = 1) {
        auto& c = counts_[static_cast<std::size_t>(event)];
        c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); // one writer: no read-modify-write
    }
    // True where no example is kept yet: the caller then computes the uid and hands it to keep_example().
    bool wants_example(Event event) const { return examples_[static_cast<std::size_t>(event)].empty(); }
    void keep_example(Event event, const Id96& uid) { examples_[static_cast<std::size_t>(event)] = uid; }

    std::uint64_t value(Event event) const {
        return counts_[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
    }
    // Only once the writer has stopped.
    const Id96& example(Event event) const { return examples_[static_cast<std::size_t>(event)]; }

private:
    std::array<std::atomic<std::uint64_t>, kEventCount> counts_{};
    std::array<Id96, kEventCount> examples_{};
};

} // namespace ftpsensor
