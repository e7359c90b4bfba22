#include "core/log/json.h"

#include "core/log/community_id.h"
#include "core/log/escape.h"

namespace ftpsensor {

namespace {

// Keys, punctuation and all values of bounded length, at their longest; log_format_test holds both against the largest
// values there are.
constexpr std::size_t kConnLineBytes = 1536;
constexpr std::size_t kFtpLineBytes = 1024;
constexpr std::size_t kIdItemBytes = kIdChars + 3; // quotes and comma

std::string json_string(std::string_view text) {
    std::string json(json_string_bytes_max(text), '\0');
    json.resize(static_cast<std::size_t>(put_json_string(json.data(), text) - json.data()));
    return json;
}

// `key` carries what stands around it: ,"user":
char* put_string(char* out, std::string_view key, std::string_view value) {
    return put_json_string(put(out, key), value);
}

char* put_string(char* out, std::string_view key, const std::optional<std::string_view>& value) {
    return value ? put_string(out, key, *value) : out;
}

template <typename Integer>
char* put_count(char* out, std::string_view key, const std::optional<Integer>& value) {
    return value ? put_uint(put(out, key), *value) : out;
}

char* put_count(char* out, std::string_view key, std::uint64_t value) { return put_uint(put(out, key), value); }

char* put_bool(char* out, std::string_view key, const std::optional<bool>& value) {
    return value ? put(put(out, key), *value ? "true" : "false") : out;
}

// `key` opens the string: ,"uid":"
char* put_id(char* out, std::string_view key, char letter, const Id96& id) {
    out = put_id(put(out, key), letter, id);
    *out++ = '"';
    return out;
}

char* put_endpoints(char* out, const EndpointId& id) {
    out = put_address(put(out, R"(,"id.orig_h":")"), id.orig_h);
    out = put_uint(put(out, R"(","id.orig_p":)"), id.orig_p);
    out = put_address(put(out, R"(,"id.resp_h":")"), id.resp_h);
    return put_uint(put(out, R"(","id.resp_p":)"), id.resp_p);
}

char* put_tunnel_parents(char* out, std::span<const Id96> parents) {
    if (parents.empty()) return out;
    out = put(out, R"(,"tunnel_parents":[)");
    for (const Id96& parent : parents) {
        out = put_id(out, "\"", 'C', parent);
        *out++ = ',';
    }
    out[-1] = ']';
    return out;
}

char* put_data_channel(char* out, const DataChannel& channel) {
    out = put_bool(out, R"(,"data_channel.passive":)", channel.passive);
    out = put_address(put(out, R"(,"data_channel.orig_h":")"), channel.orig_h);
    out = put_address(put(out, R"(","data_channel.resp_h":")"), channel.resp_h);
    return put_uint(put(out, R"(","data_channel.resp_p":)"), channel.resp_p);
}

char* put_end_of_line(char* out) { return put(out, "}\n"); }

std::size_t string_bytes_max(const std::optional<std::string_view>& text) {
    return text ? json_string_bytes_max(*text) : 0;
}

} // namespace

JsonWriter::JsonWriter(TimestampFormat timestamps, std::string_view system_name, std::string_view node, bool extended)
    : timestamps_(timestamps), extended_(extended) {
    for (const LogKind log : {LogKind::conn, LogKind::ftp}) {
        std::string& before = before_write_ts_[static_cast<std::size_t>(log)];
        before = "{\"_path\":" + json_string(log_path(log));
        if (!system_name.empty()) before += ",\"_system_name\":" + json_string(system_name);
        before += ",\"_write_ts\":";
    }
    if (!node.empty()) before_ts_ = ",\"_node\":" + json_string(node);
    before_ts_ += ",\"ts\":";
}

char* JsonWriter::put_time(char* out, IsoTimeWriter& iso, Timestamp t) const {
    if (timestamps_ == TimestampFormat::epoch) return put_epoch_json(out, t);
    *out++ = '"';
    out = iso.put(out, t);
    *out++ = '"';
    return out;
}

char* JsonWriter::put_envelope(char* out, LogKind log, Timestamp write_ts, Timestamp ts) {
    out = put_time(put(out, before_write_ts_[static_cast<std::size_t>(log)]), times_.write_ts, write_ts);
    return put_time(put(out, before_ts_), times_.ts, ts);
}

void JsonWriter::append(const ConnEntry& e, TextBuffer& buffer) {
    char* out = buffer.reserve(kConnLineBytes + before_write_ts_[0].size() + before_ts_.size() +
                               json_string_bytes_max(e.history) + e.tunnel_parents.size() * kIdItemBytes);
    out = put_envelope(out, LogKind::conn, e.write_ts, e.ts);
    out = put_id(out, R"(,"uid":")", 'C', e.uid);
    out = put_endpoints(out, e.id);
    out = put(put(out, R"(,"proto":")"), transport_name(e.proto));
    *out++ = '"';
    if (e.services != 0) {
        out = put_services(put(out, R"(,"service":")"), e.services);
        *out++ = '"';
    }
    if (e.duration) out = put_double(put(out, R"(,"duration":)"), *e.duration);
    out = put_count(out, R"(,"orig_bytes":)", e.orig_bytes);
    out = put_count(out, R"(,"resp_bytes":)", e.resp_bytes);
    out = put(put(out, R"(,"conn_state":")"), conn_state_name(e.state));
    *out++ = '"';
    out = put_bool(out, R"(,"local_orig":)", e.local_orig);
    out = put_bool(out, R"(,"local_resp":)", e.local_resp);
    out = put_count(out, R"(,"missed_bytes":)", e.missed_bytes);
    if (!e.history.empty()) out = put_string(out, R"(,"history":)", e.history);
    out = put_count(out, R"(,"orig_pkts":)", e.orig_pkts);
    out = put_count(out, R"(,"orig_ip_bytes":)", e.orig_ip_bytes);
    out = put_count(out, R"(,"resp_pkts":)", e.resp_pkts);
    out = put_count(out, R"(,"resp_ip_bytes":)", e.resp_ip_bytes);
    out = put_tunnel_parents(out, e.tunnel_parents);
    out = put_count(out, R"(,"ip_proto":)", std::uint64_t{e.ip_proto});
    out = put_community_id(put(out, R"(,"community_id":")"), e.id, e.proto, e.ip_proto);
    *out++ = '"';
    if (extended_ && e.control_uid) out = put_id(out, R"(,"control_uid":")", 'C', *e.control_uid);
    if (extended_ && e.shunted) out = put(out, R"(,"shunted":true)");
    out = put_bool(out, R"(,"interim":)", e.interim);
    buffer.commit(put_end_of_line(out));
}

void JsonWriter::append(const FtpEntry& e, TextBuffer& buffer) {
    char* out =
        buffer.reserve(kFtpLineBytes + before_write_ts_[1].size() + before_ts_.size() + json_string_bytes_max(e.user) +
                       string_bytes_max(e.password) + string_bytes_max(e.command) + string_bytes_max(e.arg) +
                       string_bytes_max(e.mime_type) + string_bytes_max(e.reply_msg));
    out = put_envelope(out, LogKind::ftp, e.write_ts, e.ts);
    out = put_id(out, R"(,"uid":")", 'C', e.uid);
    out = put_endpoints(out, e.id);
    out = put_string(out, R"(,"user":)", e.user);
    out = put_string(out, R"(,"password":)", e.password);
    out = put_string(out, R"(,"command":)", e.command);
    out = put_string(out, R"(,"arg":)", e.arg);
    out = put_string(out, R"(,"mime_type":)", e.mime_type);
    out = put_count(out, R"(,"file_size":)", e.file_size);
    out = put_count(out, R"(,"reply_code":)", e.reply_code);
    out = put_string(out, R"(,"reply_msg":)", e.reply_msg);
    if (e.data_channel) out = put_data_channel(out, *e.data_channel);
    if (e.fuid) out = put_id(out, R"(,"fuid":")", 'F', *e.fuid);
    if (extended_) {
        if (e.data_uid) out = put_id(out, R"(,"data_channel.uid":")", 'C', *e.data_uid);
        out = put_count(out, R"(,"data_channel.bytes":)", e.data_bytes);
        out = put_bool(out, R"(,"data_channel.complete":)", e.data_complete);
    }
    buffer.commit(put_end_of_line(out));
}

} // namespace ftpsensor
