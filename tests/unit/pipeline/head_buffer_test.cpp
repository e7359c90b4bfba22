// The first bytes of a stream, from segments in any order.
#include "core/pipeline/head_buffer.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;

namespace {
std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
} // namespace

TEST_CASE("bytes count as far as there is no hole") {
    HeadBudget budget{1u << 20, 0};
    HeadBuffer head;
    head.put(4, bytes("ef"), budget);
    CHECK(head.size() == 0);
    head.put(2, bytes("cd"), budget);
    head.put(0, bytes("ab"), budget);
    CHECK(head.size() == 6);
    CHECK(head.view(6) == "abcdef");
    head.release(budget);
    CHECK(budget.used == 0);
}

TEST_CASE("no more than the first bytes are kept") {
    HeadBudget budget{1u << 20, 0};
    HeadBuffer head;
    head.put(0, bytes(std::string(5000, 'x')), budget);
    CHECK(head.full());
    CHECK(head.size() == HeadBuffer::kBytesMax);
    CHECK(head.put(HeadBuffer::kBytesMax, bytes("more"), budget));
    head.release(budget);
}

TEST_CASE("a budget that is used up takes no more streams") {
    HeadBudget budget{HeadBuffer::kBytesMax, 0};
    HeadBuffer first, second;
    CHECK(first.put(4000, bytes("a"), budget));
    CHECK(budget.used == HeadBuffer::kBytesMax);
    CHECK_FALSE(second.put(0, bytes("a"), budget));
    first.release(budget);
    CHECK(second.put(0, bytes("a"), budget));
    CHECK(budget.used == 256);
    CHECK(first.put(0, bytes(std::string(2000, 'x')), budget));
    CHECK(budget.used == 256 + 2048);
    CHECK_FALSE(second.put(1, bytes(std::string(3000, 'x')), budget)); // and what it has stays
    CHECK(second.view(1) == "a");
    first.release(budget);
    second.release(budget);
    CHECK(budget.used == 0);
}

TEST_CASE("what is there stays while it grows") {
    HeadBudget budget{1u << 20, 0};
    HeadBuffer head;
    head.put(200, bytes(std::string(50, 'b')), budget);
    head.put(0, bytes(std::string(200, 'a')), budget);
    head.put(250, bytes(std::string(3000, 'c')), budget);
    CHECK(head.size() == 3250);
    CHECK(head.view(3250) == std::string(200, 'a') + std::string(50, 'b') + std::string(3000, 'c'));
    head.release(budget);
}

TEST_CASE("a closed head takes no more bytes") {
    HeadBudget budget{1u << 20, 0};
    HeadBuffer head;
    head.put(0, bytes("ab"), budget);
    head.close();
    head.put(2, bytes("cd"), budget);
    CHECK(head.size() == 2);
    head.release(budget);
}
