#include "daemon/stats/stats_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

constexpr std::size_t kEventsShown = 12;

std::string duration_text(double seconds) {
    const auto s = static_cast<std::uint64_t>(std::max(seconds, 0.0));
    return fmt::format("{}d {:02}:{:02}:{:02}", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
}

class Table {
public:
    Table(const Snapshot& now, const Snapshot& change)
        : now_(now), change_(change), seconds_(std::max(static_cast<double>(change.interval) / 1e9, 1e-3)) {}

    std::string text() {
        head();
        ports();
        workers();
        logs();
        events();
        return std::move(text_);
    }

private:
    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        text_ += fmt::format(format, std::forward<Args>(args)...) + "\n";
    }
    std::string rate(std::uint64_t count) const { return short_number(static_cast<double>(count) / seconds_); }
    std::string bits(std::uint64_t bytes) const { // a second
        const std::string text = rate(bytes * 8);
        return text + (text.find(' ') == std::string::npos ? " bit/s" : "bit/s");
    }
    static std::string total(std::uint64_t count) { return short_number(static_cast<double>(count)); }

    void head() {
        const Totals& t = change_.totals;
        line("up {}, {} packets/s, {}, {} connections, {} FTP sessions", duration_text(now_.sensor.uptime_seconds),
             rate(t.received_packets), bits(t.received_bytes), total(now_.totals.connections_open),
             total(now_.totals.ftp_sessions_open));
        line("lost since the start: {} packets, {} records, {} entries; evicted {}; gaps {:.4f} % of TCP payload",
             now_.totals.lost_packets, now_.totals.records_dropped, now_.totals.entries_lost,
             now_.totals.connections_evicted, 100 * gap_share());
        line("logger {:.1f} s behind; workers uneven by {:.2f}", now_.sensor.logger_lag_seconds,
             now_.sensor.worker_skew_ratio);
    }
    double gap_share() const { // since the start, as the losses beside it
        const auto sent = now_.totals.payload_bytes + now_.totals.missed_bytes;
        return sent == 0 ? 0 : static_cast<double>(now_.totals.missed_bytes) / static_cast<double>(sent);
    }
    void ports() {
        line("\n{:<20} {:>4} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}", "PORT", "LINK", "packets/s", "bit/s",
             "interface", "kernel", "missed", "no mbuf", "errors");
        for (std::size_t i = 0; i < now_.ports.size(); ++i) {
            const auto& p = now_.ports[i];
            const auto& c = change_.ports[i];
            line("{:<20} {:>4} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}", p.name, p.link_up ? "up" : "DOWN",
                 rate(c.received_packets), rate(c.received_bytes * 8), total(p.interface_dropped_packets),
                 total(p.kernel_dropped_packets), total(p.missed_packets), total(p.no_mbuf_packets),
                 total(p.error_packets));
        }
    }
    void workers() {
        line("\n{:<20} {:>6} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}", "WORKER", "busy", "packets/s", "open",
             "opened/s", "evicted", "conn lost", "ftp lost");
        for (std::size_t i = 0; i < now_.workers.size(); ++i) {
            const auto& w = now_.workers[i];
            const auto& c = change_.workers[i];
            line("{:<20} {:>5.1f}% {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}", w.name, 100 * c.busy_ratio,
                 rate(c.packets), total(w.connections_open), rate(c.connections), total(w.connections_evicted),
                 total(w.conn_records_dropped), total(w.ftp_records_dropped));
        }
    }
    void logs() {
        line("\n{:<20} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}", "LOG", "entries/s", "entries", "waiting", "lost",
             "disk B/s", "errors");
        for (std::size_t i = 0; i < now_.logs.size(); ++i) {
            const auto& l = now_.logs[i];
            const auto& c = change_.logs[i];
            line("{:<20} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}{}", l.name, rate(c.entries), total(l.entries),
                 total(l.entries_waiting), total(l.entries_lost), rate(c.file_bytes), total(l.write_errors),
                 l.failing ? "  FAILING" : "");
        }
    }
    void events() {
        if (now_.events.empty()) return;
        auto sorted = now_.events;
        std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
        line("\n{:<40} {:>10} {:>10}", "EVENT", "count", "a second");
        for (std::size_t i = 0; i < std::min(sorted.size(), kEventsShown); ++i) {
            const auto* c = change_.event(sorted[i].name);
            line("{:<40} {:>10} {:>10}", sorted[i].name, total(sorted[i].count), rate(c == nullptr ? 0 : c->count));
        }
        if (sorted.size() > kEventsShown) line("and {} more: --json", sorted.size() - kEventsShown);
    }

    const Snapshot& now_;
    const Snapshot& change_;
    double seconds_;
    std::string text_;
};

} // namespace

std::string short_number(double value) {
    constexpr std::array<const char*, 5> kUnits{"", " k", " M", " G", " T"};
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) value /= 1000, ++unit;
    if (unit == 0) return fmt::format("{:.0f}", value);
    return fmt::format("{:.{}f}{}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string stats_table(const Snapshot& now, const Snapshot& change) { return Table(now, change).text(); }

} // namespace ftpsensor
