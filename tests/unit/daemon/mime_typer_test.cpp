// Types of files in the reference's names.
#include "daemon/mime_typer.h"
#include "tests/support/catch.h"

#include <string>
#include <thread>
#include <vector>

using namespace ftpsensor;
using namespace std::chrono_literals;

namespace {

// As long as it takes for what somebody has made to take long.
std::string_view slow_type(std::string_view first_bytes) {
    std::this_thread::sleep_for(500us);
    return file_type(first_bytes);
}

} // namespace

TEST_CASE("answers come for each question, in any order of asking") {
    EventCounters events;
    MimeTyper typer(std::nullopt, 1, events);
    const auto text = typer.submit("plain text, long enough", MimeStage::sniffed);
    const auto png = typer.submit(std::string_view("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0", 29),
                                  MimeStage::transferred);
    const auto unknown = typer.submit(std::string_view("\x00\x01\x02\x03", 4), MimeStage::transferred);
    const auto none = typer.submit(std::string_view("\x00\x01\x02\x03", 4), MimeStage::sniffed);
    CHECK(typer.take(png) == "image/png");
    CHECK(typer.take(text) == "text/plain");
    CHECK(typer.take(unknown) == "<unknown>");
    CHECK(typer.take(none).empty());
}

TEST_CASE("too many questions at once are answered without a type, and counted") {
    EventCounters events;
    MimeTyper typer(1h, 1, events, slow_type);
    std::vector<std::uint64_t> tickets;
    for (int i = 0; i < 5000; ++i)
        tickets.push_back(typer.submit("some text " + std::to_string(i), MimeStage::sniffed));
    std::size_t typed = 0;
    for (const auto ticket : tickets) typed += typer.take(ticket) == "text/plain";
    CHECK(events.value(Event::file_type_skipped) > 0);
    CHECK(typed + events.value(Event::file_type_skipped) == tickets.size());
}

TEST_CASE("the same bytes are the same type again, also after more others than are remembered") {
    EventCounters events;
    MimeTyper typer(std::nullopt, 1, events);
    const auto type_of = [&](std::string_view bytes) {
        return std::string(typer.take(typer.submit(bytes, MimeStage::sniffed)));
    };
    const std::string_view png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    const std::string first = type_of(png), text = type_of("plain text, long enough");
    CHECK(first == "image/png");
    CHECK(type_of(png) == first);
    for (int i = 0; i < 4200; ++i) type_of("\x01" + std::to_string(i)); // short: soon told
    CHECK(type_of(png) == first);
    CHECK(type_of("plain text, long enough") == text);
}

TEST_CASE("the same bytes are one question, however often they are asked about") {
    EventCounters events;
    MimeTyper typer(1h, 1, events, slow_type);
    std::vector<std::uint64_t> tickets;
    for (int i = 0; i < 5000; ++i)
        tickets.push_back(typer.submit(std::string_view("\x00\x01\x02\x03", 4),
                                       i % 2 == 0 ? MimeStage::transferred : MimeStage::sniffed));
    for (std::size_t i = 0; i < tickets.size(); ++i) REQUIRE(typer.take(tickets[i]) == (i % 2 == 0 ? "<unknown>" : ""));
    CHECK(events.value(Event::file_type_skipped) == 0);
}

TEST_CASE("live, who was given up is asked about again") {
    EventCounters events;
    MimeTyper typer(0ms, 1, events, slow_type);
    const std::string bytes = "plain text, long enough";
    std::vector<std::uint64_t> before;
    for (int i = 0; i < 500; ++i) before.push_back(typer.submit("some text " + std::to_string(i), MimeStage::sniffed));
    CHECK(typer.take(typer.submit(bytes, MimeStage::sniffed)).empty());
    for (const auto ticket : before) typer.take(ticket);
    std::string type;
    for (int i = 0; i < 10'000 && type.empty(); ++i) {
        const auto ticket = typer.submit(bytes, MimeStage::sniffed);
        std::this_thread::sleep_for(1ms);
        type = typer.take(ticket);
    }
    CHECK(type == "text/plain");
}

TEST_CASE("live, an answer that takes too long is no type, and counted; the others come") {
    EventCounters events;
    MimeTyper typer(0ms, 1, events, slow_type);
    std::vector<std::uint64_t> tickets;
    for (int i = 0; i < 500; ++i) tickets.push_back(typer.submit("some text " + std::to_string(i), MimeStage::sniffed));
    CHECK(typer.take(tickets.back()).empty()); // behind 499 others
    CHECK(events.value(Event::file_type_skipped) == 1);
    tickets.pop_back();
    std::size_t typed = 0;
    for (const auto ticket : tickets) typed += typer.take(ticket) == "text/plain";
    CHECK(typed + events.value(Event::file_type_skipped) == 500);
}
