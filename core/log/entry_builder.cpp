#include "core/log/entry_builder.h"

#include <algorithm>
#include <cstring>

namespace ftpsensor {

EntryBuilder::EntryBuilder(const EntryOptions& options, TypeSource& types, LineSink& lines, EventCounters& events)
    : options_(options), local_networks_(options.local_networks), formatter_(options.format),
      join_(TransferJoin::make(options.transfers, events)), types_(types), lines_(lines) {}

void EntryBuilder::adopt(const EntryOptions& options) {
    options_ = options;
    local_networks_ = NetworkSet(options.local_networks);
    formatter_ = Formatter(options.format);
}

// What earlier entries of a connection told reaches to here: the rest of it begins where they ended.
Timestamp EntryBuilder::told_until(const ConnRecord& r, std::string_view text) {
    Timestamp until = r.start;
    if (r.interim_before) std::memcpy(&until, text.data() + text.size() - sizeof until, sizeof until);
    return std::min(until, r.last);
}

void EntryBuilder::connection(const ConnRecord& r, std::string_view text) {
    ConnEntry e;
    e.write_ts = r.key.time;
    e.ts = r.start;
    e.uid = r.key.uid;
    e.id = r.id;
    e.proto = r.proto;
    e.services = r.services;
    if (r.watched) {
        const auto transfer = join_->connection(r.key.uid, r.interim != InterimPart::part);
        if (transfer.is_transfer) e.services |= kServiceFtpData;
        e.control_uid = transfer.control_uid;
    }
    if (r.ftp_only && (e.services & (kServiceFtp | kServiceFtpData)) == 0) return;
    e.shunted = r.shunted;
    if (r.interim != InterimPart::none) e.interim = r.interim == InterimPart::part;
    if (r.last > r.start) {
        e.duration = zeek_seconds(r.last) - zeek_seconds(told_until(r, text));
        e.orig_bytes = r.orig_bytes;
        e.resp_bytes = r.resp_bytes;
    }
    e.state = r.state;
    if (!local_networks_.empty()) {
        e.local_orig = local_networks_.contains(r.id.orig_h);
        e.local_resp = local_networks_.contains(r.id.resp_h);
    }
    e.missed_bytes = r.missed_bytes;
    const auto inline_size = std::min<std::size_t>(r.history_size, ConnRecord::kHistoryInline);
    history_.assign(r.history, inline_size);
    history_.append(text.substr(0, r.history_size - inline_size));
    e.history = history_;
    e.orig_pkts = r.orig_pkts;
    e.orig_ip_bytes = r.orig_ip_bytes;
    e.resp_pkts = r.resp_pkts;
    e.resp_ip_bytes = r.resp_ip_bytes;
    e.ip_proto = r.ip_proto;
    parents_.resize(r.tunnel_parents);
    if (!parents_.empty())
        std::memcpy(parents_.data(), text.data() + (r.history_size - inline_size), parents_.size() * sizeof(Id96));
    e.tunnel_parents = parents_;
    buffer_.clear();
    formatter_.append(e, buffer_);
    lines_.line(LogKind::conn, buffer_.text(), e.write_ts);
}

void EntryBuilder::ftp(const FtpRecord& r, std::string_view text, std::uint64_t ticket) {
    switch (r.kind) {
    case FtpRecordKind::announcement: join_->announcement(r); break;
    case FtpRecordKind::message: message(r, text); break;
    case FtpRecordKind::session_end: join_->session_end(r); break;
    case FtpRecordKind::data_open: join_->data_open(r); break;
    case FtpRecordKind::data_first: join_->data_first(r); break;
    case FtpRecordKind::data_typed: join_->data_typed(r, types_.take(ticket)); break;
    case FtpRecordKind::data_progress: join_->data_progress(r, text); break;
    case FtpRecordKind::data_closed: join_->data_closed(r); break;
    case FtpRecordKind::data_removed: join_->data_removed(r); break;
    }
}

void EntryBuilder::message(const FtpRecord& r, std::string_view text) {
    const auto& transfer = join_->message(r);
    if (!r.logged && !r.final_entry) return;
    const auto take = [&](std::size_t size) {
        const auto piece = text.substr(0, size);
        text.remove_prefix(piece.size());
        return piece;
    };
    const auto take_if = [&](bool present, std::size_t size) -> std::optional<std::string_view> {
        if (!present) return std::nullopt;
        return take(size);
    };
    FtpEntry e;
    e.write_ts = r.key.time;
    e.ts = r.ts;
    e.uid = r.key.uid;
    e.id = r.id;
    e.user = take(r.text.user);
    e.password = take_if(r.text.has_password, r.text.password);
    e.command = take_if(r.text.has_command, r.text.command);
    e.arg = take_if(r.text.has_arg, r.text.arg);
    e.reply_msg = take_if(r.text.has_reply_msg, r.text.reply_msg);
    if (r.has_reply_code) e.reply_code = r.reply_code;
    if (r.has_file_size) e.file_size = r.file_size;
    if (r.has_channel) e.data_channel = r.channel;
    e.fuid = transfer.fuid;
    if (transfer.mime_type) e.mime_type = *transfer.mime_type;
    e.data_uid = transfer.data_uid;
    e.data_bytes = transfer.data_bytes;
    e.data_complete = transfer.data_complete;
    buffer_.clear();
    formatter_.append(e, buffer_);
    lines_.line(LogKind::ftp, buffer_.text(), e.write_ts);
}

} // namespace ftpsensor
