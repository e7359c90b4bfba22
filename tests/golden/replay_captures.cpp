// replay_captures: reads captures that golden tests left (FTPSENSOR_TEST_CAPTURES, golden.h) through the pipeline
// again, strict and extended, with one worker and with three, with bounds that are ample and with bounds of two of
// everything.
//
// What the entries say is the golden tests' business: this is for builds under sanitizers, where each of those tests
// takes a minute to compile. The folder's name is in the environment, FTPSENSOR_REPLAY; without it there is nothing to
// do, and it ends with 77, which meson takes for skipped.
#include "tests/support/capture_writer.h"
#include "tests/support/memory_pipeline.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

std::uint32_t number_at(const Bytes& file, std::size_t at) { // little-endian, as Trace::save() writes
    std::uint32_t number = 0;
    if (file.size() < at + sizeof number) throw std::runtime_error("it ends within a packet");
    std::memcpy(&number, &file[at], sizeof number);
    return number;
}

LinkType link_of(std::uint32_t number) {
    for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(LinkType::unknown); ++i)
        if (link_type_number(static_cast<LinkType>(i)) == number) return static_cast<LinkType>(i);
    return LinkType::unknown;
}

// The packets in blocks of memory of their own, so that a read beyond one shows.
struct Capture {
    explicit Capture(const std::filesystem::path& path) {
        std::ifstream in(path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        const Bytes file(text.begin(), text.end());
        constexpr std::size_t kHeader = 24, kRecord = 16;
        if (number_at(file, 0) != 0xa1b23c4d) throw std::runtime_error("it is no capture with nanoseconds");
        const LinkType link = link_of(number_at(file, 20));
        for (std::size_t at = kHeader; at < file.size();) {
            PacketView view;
            view.time = number_at(file, at) * kSecond + number_at(file, at + 4);
            view.captured = number_at(file, at + 8);
            view.length = number_at(file, at + 12);
            at += kRecord;
            if (file.size() - at < view.captured) throw std::runtime_error("it ends within a packet");
            blocks.push_back(std::make_unique<std::uint8_t[]>(view.captured));
            std::memcpy(blocks.back().get(), file.data() + at, view.captured);
            at += view.captured;
            view.data = blocks.back().get();
            view.now = views.empty() ? view.time : std::max(view.time, views.back().now);
            view.number = views.size() + 1;
            view.link = link;
            views.push_back(view);
        }
    }
    std::vector<std::unique_ptr<std::uint8_t[]>> blocks;
    std::vector<PacketView> views;
};

void shrink(MemoryPipelineOptions& o) {
    o.pipeline.decode.fragment_datagrams_max = 1;
    o.pipeline.conn.connections_max = 16;
    o.pipeline.conn.ranges_max = 8;
    o.pipeline.hints_max = o.pipeline.control_max = o.pipeline.watches_max = o.pipeline.progress_max = 2;
    o.pipeline.first_bytes_max = o.pipeline.held_bytes_max = 2000;
    o.entries.transfers.announcements_max = 2;
}

std::size_t lines_of(const Capture& capture, const MemoryPipelineOptions& options) {
    std::size_t lines = 0;
    MemoryPipeline pipeline(options, [&lines](LogKind, std::string_view line) {
        if (line.size() < 3 || line.front() != '{' || line.find('\n') != line.size() - 1)
            throw std::runtime_error("no line of JSON: " + std::string(line));
        ++lines;
    });
    pipeline.process(capture.views);
    pipeline.finish(capture.views.empty() ? 0 : capture.views.back().now);
    if (pipeline.held() != 0) throw std::runtime_error("records are left that no watermark released");
    return lines;
}

std::size_t replay(const std::filesystem::path& path) {
    const Capture capture(path);
    std::size_t lines = 0;
    for (const bool extended : {false, true}) {
        for (const std::size_t workers : {std::size_t{1}, std::size_t{3}}) {
            MemoryPipelineOptions options = small_pipeline(extended);
            options.workers = workers;
            options.by_ports = true;
            lines += lines_of(capture, options);
        }
        MemoryPipelineOptions tiny = small_pipeline(extended);
        shrink(tiny);
        lines += lines_of(capture, tiny);
    }
    return lines;
}

} // namespace

int main() {
    const char* const folder = std::getenv("FTPSENSOR_REPLAY");
    if (folder == nullptr) {
        std::printf("SKIPPED: FTPSENSOR_REPLAY names no folder of captures\n");
        return 77;
    }
    std::size_t captures = 0, lines = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        try {
            lines += replay(entry.path());
            ++captures;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s: %s\n", entry.path().c_str(), error.what());
            return 1;
        }
    }
    std::printf("%zu captures, %zu lines\n", captures, lines);
    return captures != 0 && lines != 0 ? 0 : 1;
}
