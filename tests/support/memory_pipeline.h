// What `ftpsensord read` does with packets, on one thread and without files: workers, record channels, ordered merge,
// join and lines. For golden tests, fuzzers and benchmarks.
//
// Packets go to a worker by their addresses, or by their ports as well. Offline rules: a full channel is drained, and
// nothing is dropped. Ids are keyed with a fixed seed, so that the same packets give the same lines. One thread.
#pragma once

#include "core/log/entry_builder.h"
#include "core/log/record_merge.h"
#include "core/packet/distribution.h"
#include "core/pipeline/worker.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor::test {

struct MemoryPipelineOptions {
    PipelineOptions pipeline; // the emitter's waiting is set here
    EntryOptions entries;
    std::size_t workers = 1;
    bool by_ports = false;
    std::size_t board_slots = AnnouncementBoard::kSlots;
    bool types_known = true; // a file's type is "STAGE/BYTES", e.g. "transferred/1024"; else none is known
};

// Small pools, epoch times and one local network, 10.0.0.0/8: what a test of a few connections wants.
MemoryPipelineOptions small_pipeline(bool extended);

class MemoryPipeline final : private LineSink {
public:
    using LineHook = std::function<void(LogKind log, std::string_view line)>; // the line feed included

    MemoryPipeline(const MemoryPipelineOptions& options, LineHook lines);
    MemoryPipeline(const MemoryPipeline&) = delete;
    MemoryPipeline& operator=(const MemoryPipeline&) = delete;

    // May be called again and again, then finish() once.
    void process(std::span<const PacketView> packets);
    // A changed configuration, for all workers and the logger, between two calls of process(). What only a start can
    // change (sizes, the wider rules) stays as it is.
    void reload(const PipelineOptions& pipeline, const EntryOptions& entries);
    void idle(Timestamp now); // no packets: time goes on
    void finish(Timestamp end);
    std::size_t held() const { return merge_.held(); } // records that no watermark has released; 0 after finish()

    std::uint64_t count(Event event) const;     // of all workers and the logger
    bool in_order() const { return in_order_; } // no entry was written behind one of a later time
    const Worker& worker(std::size_t number) const { return *workers_[number]; }

private:
    // Stands in for the file typer: says what it was asked.
    class AskedTypes final : public TypeSource {
    public:
        explicit AskedTypes(bool known) : known_(known) {}
        std::uint64_t submit(std::string_view first_bytes, MimeStage stage) override;
        std::string_view take(std::uint64_t ticket) override;

    private:
        bool known_;
        std::uint64_t next_ticket_ = 0;
        std::map<std::uint64_t, std::string> answers_; // that nobody has taken
        std::string taken_;
    };

    bool drain(); // false: there was nothing
    void let_others_run();
    template <class F>
    void run(std::size_t worker, F&& f);
    void release();
    void line(LogKind log, std::string_view text, Timestamp write_ts) override;

    bool by_ports_;
    LineHook lines_;
    Distribution distribution_{1};
    SharedState shared_;
    EventCounters events_;
    AskedTypes types_;
    RecordMerge merge_;
    Timestamp released_ = INT64_MIN;
    Timestamp written_ = INT64_MIN;
    bool in_order_ = true;
    bool interims_before_;
    Timestamp now_ = 0;
    EntryBuilder builder_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<bool> busy_; // it runs, maybe waiting while others run, or has finished
};

} // namespace ftpsensor::test
