// The streams of all workers in one order.
//
// Records are held until every worker's watermark has passed them, then released by their StreamKey. Every worker's
// stream is nearly ordered already; what is due is sorted. How much is held is bounded by how far the workers are
// apart: live, the logger's hold bounds that; offline, the distributor's rings. Logger thread only.
#pragma once

#include "core/record/records.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

class RecordMerge {
public:
    explicit RecordMerge(const IdKey& key) : key_(key) {}

    void add(const ConnRecord& record, std::string_view text) {
        const std::uint32_t at = slot(conns_, conn_free_);
        conns_[at].record = record;
        conns_[at].text = text;
        StreamKey& key = conns_[at].record.key;
        key.uid = connection_uid(key_, {record.id.orig_h, record.id.resp_h, record.id.orig_p, record.id.resp_p,
                                        record.ip_proto, record.ordinal, record.first_seq, record.start});
        hold({key, at, true});
    }
    // `ticket`: of the type that was asked for, with data_typed.
    void add(const FtpRecord& record, std::string_view text, std::uint64_t ticket) {
        const std::uint32_t at = slot(ftps_, ftp_free_);
        ftps_[at].record = record;
        ftps_[at].text = text;
        ftps_[at].ticket = ticket;
        hold({record.key, at, false});
        if (is_for_join(record.kind) && std::max(record.key.time, record.told) < released_) ++late_;
    }

    // Hands over all records due before `before`, in order: sink.connection(record, text), sink.ftp(record, text,
    // ticket).
    template <class Sink>
    void release(Timestamp before, Sink& sink) {
        released_ = std::max(released_, before);
        has_due_ = false;
        const auto held =
            std::partition(items_.begin(), items_.end(), [&](const Item& i) { return i.key.time < before; });
        std::sort(items_.begin(), held, [](const Item& a, const Item& b) { return a.key < b.key; });
        for (auto item = items_.begin(); item != held; ++item) {
            if (item->is_conn) {
                const HeldConn& h = conns_[item->at];
                count_late(h.record.key);
                sink.connection(h.record, h.text);
                conn_free_.push_back(item->at);
            } else {
                const HeldFtp& h = ftps_[item->at];
                if (h.record.logged || h.record.final_entry) count_late(h.record.key);
                sink.ftp(h.record, h.text, h.ticket);
                ftp_free_.push_back(item->at);
            }
        }
        items_.erase(items_.begin(), held);
    }
    std::size_t held() const { return items_.size(); }
    // Something came since the last release that was due before its time already.
    bool has_due() const { return has_due_; }
    // Only live, where the hold has a bound: entries that came after later ones had been written, and what the join
    // should have known before it released what stood behind. A connection that is announced only now tells what
    // happened until then, by design: its time is that of the announcement.
    std::uint64_t late() const { return late_; }

private:
    struct Item {
        StreamKey key;
        std::uint32_t at;
        bool is_conn;
    };
    struct HeldConn {
        ConnRecord record;
        std::string text;
    };
    struct HeldFtp {
        FtpRecord record;
        std::string text;
        std::uint64_t ticket = 0;
    };
    void hold(const Item& item) {
        has_due_ = has_due_ || item.key.time < released_;
        items_.push_back(item);
    }
    static bool is_for_join(FtpRecordKind kind) {
        return kind != FtpRecordKind::message && kind != FtpRecordKind::session_end;
    }
    template <class Held>
    static std::uint32_t slot(std::vector<Held>& held, std::vector<std::uint32_t>& free) {
        if (free.empty()) {
            held.emplace_back();
            return static_cast<std::uint32_t>(held.size() - 1);
        }
        const std::uint32_t at = free.back();
        free.pop_back();
        return at;
    }

    void count_late(const StreamKey& key) {
        if (key.time < written_through_)
            ++late_;
        else
            written_through_ = key.time;
    }

    IdKey key_;
    std::vector<Item> items_;
    std::vector<HeldConn> conns_;
    std::vector<HeldFtp> ftps_;
    std::vector<std::uint32_t> conn_free_;
    std::vector<std::uint32_t> ftp_free_;
    Timestamp released_ = INT64_MIN;
    bool has_due_ = false;
    Timestamp written_through_ = INT64_MIN;
    std::uint64_t late_ = 0;
};

} // namespace ftpsensor
