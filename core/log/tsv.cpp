#include "core/log/tsv.h"

#include "core/log/community_id.h"
#include "core/log/escape.h"

#include <array>
#include <chrono>
#include <span>

namespace ftpsensor {

namespace {

constexpr std::size_t kConnLineBytes = 1024; // all values of bounded length, at their longest
constexpr std::size_t kFtpLineBytes = 768;
constexpr std::size_t kIdItemBytes = kIdChars + 1;
constexpr std::string_view kUnset = "-";

struct Column {
    std::string_view name;
    std::string_view type; // Zeek's
};

constexpr Column kConnColumns[] = {
    {"ts", "time"},          {"uid", "string"},          {"id.orig_h", "addr"},
    {"id.orig_p", "port"},   {"id.resp_h", "addr"},      {"id.resp_p", "port"},
    {"proto", "enum"},       {"service", "string"},      {"duration", "interval"},
    {"orig_bytes", "count"}, {"resp_bytes", "count"},    {"conn_state", "string"},
    {"local_orig", "bool"},  {"local_resp", "bool"},     {"missed_bytes", "count"},
    {"history", "string"},   {"orig_pkts", "count"},     {"orig_ip_bytes", "count"},
    {"resp_pkts", "count"},  {"resp_ip_bytes", "count"}, {"tunnel_parents", "set[string]"},
    {"ip_proto", "count"},   {"community_id", "string"},
};
constexpr Column kConnExtendedColumns[] = {{"control_uid", "string"}};
constexpr Column kConnShuntedColumns[] = {{"shunted", "bool"}};
constexpr Column kConnInterimColumns[] = {{"interim", "bool"}};

constexpr Column kFtpColumns[] = {
    {"ts", "time"},
    {"uid", "string"},
    {"id.orig_h", "addr"},
    {"id.orig_p", "port"},
    {"id.resp_h", "addr"},
    {"id.resp_p", "port"},
    {"user", "string"},
    {"password", "string"},
    {"command", "string"},
    {"arg", "string"},
    {"mime_type", "string"},
    {"file_size", "count"},
    {"reply_code", "count"},
    {"reply_msg", "string"},
    {"data_channel.passive", "bool"},
    {"data_channel.orig_h", "addr"},
    {"data_channel.resp_h", "addr"},
    {"data_channel.resp_p", "port"},
    {"fuid", "string"},
};
constexpr Column kFtpExtendedColumns[] = {
    {"data_channel.uid", "string"},
    {"data_channel.bytes", "count"},
    {"data_channel.complete", "bool"},
};

// Each of these writes the separator and the value behind it.
char* put_field(char* out, std::string_view text) {
    *out++ = '\t';
    return put(out, text);
}

char* put_count(char* out, std::uint64_t value) {
    *out++ = '\t';
    return put_uint(out, value);
}

template <typename Integer>
char* put_count(char* out, const std::optional<Integer>& value) {
    return value ? put_count(out, std::uint64_t{*value}) : put_field(out, kUnset);
}

char* put_bool(char* out, const std::optional<bool>& value) {
    return put_field(out, !value ? kUnset : *value ? "T" : "F");
}

char* put_string(char* out, const std::optional<std::string_view>& text) {
    if (!text) return put_field(out, kUnset);
    *out++ = '\t';
    return put_tsv_string(out, *text);
}

char* put_ip(char* out, const IpAddress& address) {
    *out++ = '\t';
    return put_address(out, address);
}

char* put_optional_id(char* out, char letter, const std::optional<Id96>& id) {
    if (!id) return put_field(out, kUnset);
    *out++ = '\t';
    return put_id(out, letter, *id);
}

char* put_endpoints(char* out, const EndpointId& id) {
    out = put_count(put_ip(out, id.orig_h), std::uint64_t{id.orig_p});
    return put_count(put_ip(out, id.resp_h), std::uint64_t{id.resp_p});
}

char* put_tunnel_parents(char* out, std::span<const Id96> parents) {
    if (parents.empty()) return put_field(out, kUnset);
    char separator = '\t';
    for (const Id96& parent : parents) {
        *out++ = separator;
        out = put_id(out, 'C', parent);
        separator = ',';
    }
    return out;
}

char* put_data_channel(char* out, const std::optional<DataChannel>& channel) {
    if (!channel) return put(out, "\t-\t-\t-\t-");
    out = put_ip(put_bool(out, channel->passive), channel->orig_h);
    return put_count(put_ip(out, channel->resp_h), std::uint64_t{channel->resp_p});
}

std::string tsv_string(std::string_view text) {
    std::string tsv(tsv_string_bytes_max(text), '\0');
    tsv.resize(static_cast<std::size_t>(put_tsv_string(tsv.data(), text) - tsv.data()));
    return tsv;
}

std::size_t string_bytes_max(const std::optional<std::string_view>& text) {
    return text ? tsv_string_bytes_max(*text) : 0;
}

// "2020-08-16-06-26-01": the form of #open and #close.
std::string meta_time(std::int64_t local_seconds) {
    IsoTimeWriter writer;
    char text[kTimeChars];
    writer.put(text, local_seconds * kSecond);
    for (const std::size_t i : {10u, 13u, 16u}) text[i] = '-';
    return std::string(text, 19);
}

void add_columns(std::span<const Column> columns, std::string& names, std::string& types) {
    for (const Column& column : columns) {
        (names += '\t') += column.name;
        (types += '\t') += column.type;
    }
}

} // namespace

TsvWriter::TsvWriter(TimestampFormat timestamps, std::string_view system_name, std::string_view node, bool extended,
                     bool shunts, bool interim)
    : timestamps_(timestamps), extended_(extended), shunts_(extended && shunts), interim_(interim),
      has_system_name_(!system_name.empty()), has_node_(!node.empty()), before_write_ts_("\t"), before_ts_("\t") {
    if (has_system_name_) before_write_ts_ += tsv_string(system_name) + '\t';
    if (has_node_) before_ts_ += tsv_string(node) + '\t';
}

void TsvWriter::append_header(LogKind log, std::int64_t local_seconds, TextBuffer& buffer) const {
    std::string names = "#fields";
    std::string types = "#types";
    add_columns({{Column{"_path", "string"}}}, names, types);
    if (has_system_name_) add_columns({{Column{"_system_name", "string"}}}, names, types);
    add_columns({{Column{"_write_ts", "time"}}}, names, types);
    if (has_node_) add_columns({{Column{"_node", "string"}}}, names, types);
    if (log == LogKind::conn) {
        add_columns(kConnColumns, names, types);
        if (extended_) add_columns(kConnExtendedColumns, names, types);
        if (shunts_) add_columns(kConnShuntedColumns, names, types);
        if (interim_) add_columns(kConnInterimColumns, names, types);
    } else {
        add_columns(kFtpColumns, names, types);
        if (extended_) add_columns(kFtpExtendedColumns, names, types);
    }
    buffer.append("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t");
    buffer.append(log_path(log));
    buffer.append("\n#open\t" + meta_time(local_seconds) + '\n' + names + '\n' + types + '\n');
}

void TsvWriter::append_footer(std::int64_t local_seconds, TextBuffer& buffer) const {
    buffer.append("#close\t" + meta_time(local_seconds) + '\n');
}

char* TsvWriter::put_time(char* out, IsoTimeWriter& iso, Timestamp t) const {
    return timestamps_ == TimestampFormat::epoch ? put_epoch_tsv(out, t) : iso.put(out, t);
}

char* TsvWriter::put_envelope(char* out, LogKind log, Timestamp write_ts, Timestamp ts) {
    out = put_time(put(put(out, log_path(log)), before_write_ts_), times_.write_ts, write_ts);
    return put_time(put(out, before_ts_), times_.ts, ts);
}

void TsvWriter::append(const ConnEntry& e, TextBuffer& buffer) {
    char* out = buffer.reserve(kConnLineBytes + before_write_ts_.size() + before_ts_.size() +
                               tsv_string_bytes_max(e.history) + e.tunnel_parents.size() * kIdItemBytes);
    out = put_envelope(out, LogKind::conn, e.write_ts, e.ts);
    out = put_endpoints(put_optional_id(out, 'C', e.uid), e.id);
    out = put_field(out, transport_name(e.proto));
    out = e.services != 0 ? put_services(put(out, "\t"), e.services) : put_field(out, kUnset);
    out = e.duration ? put_fixed6(put(out, "\t"), *e.duration) : put_field(out, kUnset);
    out = put_count(put_count(out, e.orig_bytes), e.resp_bytes);
    out = put_field(out, conn_state_name(e.state));
    out = put_bool(put_bool(out, e.local_orig), e.local_resp);
    out = put_count(out, e.missed_bytes);
    out = e.history.empty() ? put_field(out, kUnset) : put_string(out, e.history);
    out = put_count(put_count(out, e.orig_pkts), e.orig_ip_bytes);
    out = put_count(put_count(out, e.resp_pkts), e.resp_ip_bytes);
    out = put_count(put_tunnel_parents(out, e.tunnel_parents), std::uint64_t{e.ip_proto});
    out = put_community_id(put(out, "\t"), e.id, e.proto, e.ip_proto);
    if (extended_) out = put_optional_id(out, 'C', e.control_uid);
    if (shunts_) out = put_bool(out, e.shunted);
    if (interim_) out = put_bool(out, e.interim);
    *out++ = '\n';
    buffer.commit(out);
}

void TsvWriter::append(const FtpEntry& e, TextBuffer& buffer) {
    char* out =
        buffer.reserve(kFtpLineBytes + before_write_ts_.size() + before_ts_.size() + tsv_string_bytes_max(e.user) +
                       string_bytes_max(e.password) + string_bytes_max(e.command) + string_bytes_max(e.arg) +
                       string_bytes_max(e.mime_type) + string_bytes_max(e.reply_msg));
    out = put_envelope(out, LogKind::ftp, e.write_ts, e.ts);
    out = put_endpoints(put_optional_id(out, 'C', e.uid), e.id);
    out = put_string(out, e.user);
    out = put_string(out, e.password);
    out = put_string(out, e.command);
    out = put_string(out, e.arg);
    out = put_string(out, e.mime_type);
    out = put_count(put_count(out, e.file_size), e.reply_code);
    out = put_string(out, e.reply_msg);
    out = put_data_channel(out, e.data_channel);
    out = put_optional_id(out, 'F', e.fuid);
    if (extended_) {
        out = put_optional_id(out, 'C', e.data_uid);
        out = put_bool(put_count(out, e.data_bytes), e.data_complete);
    }
    *out++ = '\n';
    buffer.commit(out);
}

} // namespace ftpsensor
