// The streams of all workers in one order.
//
// Records are held until every worker's watermark has passed them, then released by their StreamKey. Every worker's
// stream is nearly ordered already; what is due is sorted. How much is held is bounded by how far the workers are
// apart: live, the logger's hold bounds that; offline, the distributor's rings. Logger thread only.
#pragma once

#include "core/log/held_memory.h"
#include "core/record/records.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace ftpsensor {

class RecordMerge {
public:
    explicit RecordMerge(const IdKey& key) : key_(key) {}

    void add(const ConnRecord& record, std::string_view text) {
        HeldConn& held = hold<HeldConn>(record, text);
        StreamKey& key = held.record.key;
        key.uid = connection_uid(key_, {record.id.orig_h, record.id.resp_h, record.id.orig_p, record.id.resp_p,
                                        record.ip_proto, record.ordinal, record.first_seq, record.start});
    }
    // `ticket`: of the type that was asked for, with data_typed.
    void add(const FtpRecord& record, std::string_view text, std::uint64_t ticket) {
        hold<HeldFtp>(record, text).ticket = ticket;
        if (is_for_join(record.kind) && std::max(record.key.time, record.told) < released_) ++late_;
    }

    // Hands over all records due before `before`, in order: sink.connection(record, text), sink.ftp(record, text,
    // ticket).
    template <class Sink>
    void release(Timestamp before, Sink& sink) {
        released_ = std::max(released_, before);
        has_due_ = false;
        const auto due =
            std::partition(items_.begin(), items_.end(), [&](const Item& item) { return item.time < before; });
        std::sort(items_.begin(), due);
        for (auto item = items_.begin(); item != due; ++item) {
            if (item->held->is_conn) {
                const auto& h = static_cast<const HeldConn&>(*item->held);
                count_late(h.record.key);
                sink.connection(h.record, h.text());
            } else {
                const auto& h = static_cast<const HeldFtp&>(*item->held);
                if (h.record.logged || h.record.final_entry) count_late(h.record.key);
                sink.ftp(h.record, h.text(), h.ticket);
            }
            memory_.release(item->held);
        }
        items_.erase(items_.begin(), due);
    }
    std::size_t held() const { return items_.size(); }
    // Something came since the last release that was due before its time already.
    bool has_due() const { return has_due_; }
    // Only live, where the hold has a bound: entries that came after later ones had been written, and what the join
    // should have known before it released what stood behind. A connection that is announced only now tells what
    // happened until then, by design: its time is that of the announcement.
    std::uint64_t late() const { return late_; }

private:
    struct Held {
        bool is_conn;
        std::uint32_t text_bytes;
    };
    template <class Record>
    struct HeldRecord : Held { // its text lies behind it
        Record record;
        std::uint64_t ticket;
        std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), text_bytes}; }
    };
    using HeldConn = HeldRecord<ConnRecord>;
    using HeldFtp = HeldRecord<FtpRecord>;
    struct Item { // small, since it is moved about; nearly all times differ
        Timestamp time;
        Held* held;
        const StreamKey& key() const {
            return held->is_conn ? static_cast<const HeldConn*>(held)->record.key
                                 : static_cast<const HeldFtp*>(held)->record.key;
        }
        bool operator<(const Item& other) const { return time != other.time ? time < other.time : key() < other.key(); }
    };

    template <class T, class Record>
    T& hold(const Record& record, std::string_view text) {
        void* const place = memory_.allocate(sizeof(T) + text.size());
        const Held head{std::is_same_v<Record, ConnRecord>, static_cast<std::uint32_t>(text.size())};
        T* const held = new (place) T{head, record, 0};
        if (!text.empty()) std::memcpy(held + 1, text.data(), text.size());
        has_due_ = has_due_ || record.key.time < released_;
        items_.push_back({record.key.time, held});
        return *held;
    }
    static bool is_for_join(FtpRecordKind kind) {
        return kind != FtpRecordKind::message && kind != FtpRecordKind::session_end;
    }

    void count_late(const StreamKey& key) {
        if (key.time < written_through_)
            ++late_;
        else
            written_through_ = key.time;
    }

    IdKey key_;
    HeldMemory memory_;
    std::vector<Item> items_;
    Timestamp released_ = INT64_MIN;
    bool has_due_ = false;
    Timestamp written_through_ = INT64_MIN;
    std::uint64_t late_ = 0;
};

} // namespace ftpsensor
