// Memory is where it was said to be: the kernel is asked what it knows of a page. One node is enough to see what was
// said; that a page lies there needs a second one. Skipped without memory policies (a kernel or a sandbox).
#include "core/base/memory_node.h"
#include "core/base/table_memory.h"
#include "tests/support/catch.h"

#include <optional>
#include <thread>

using namespace ftpsensor;

namespace {

void need_policies() {
    if (!OnNode(0).works()) test::skip_program("there are no memory policies here");
}

} // namespace

TEST_CASE("a table that is made on a node stays with it, whoever touches it") {
    need_policies();
    std::optional<OnNode> here(0);
    const TableMemory small(100), large(5 * TableMemory::kAlignment);
    here.reset();
    std::thread([&] { large.data()[0] = large.data()[3 * TableMemory::kAlignment] = std::byte{1}; }).join();
    CHECK(preferred_node(small.data()) == 0);
    for (const std::size_t place : {0u, 1u, 3u, 4u}) {
        INFO(place);
        CHECK(preferred_node(large.data() + place * TableMemory::kAlignment) == 0);
    }
    CHECK(preferred_node(large.data() + 5 * TableMemory::kAlignment - 1) == 0);
}

TEST_CASE("what was said before is said again afterwards") {
    need_policies();
    const OnNode outer(0);
    { const OnNode inner(0); }
    const TableMemory memory(TableMemory::kAlignment);
    CHECK(preferred_node(memory.data()) == 0);
}

TEST_CASE("a node that is there gives memory") {
    need_policies();
    CHECK(node_gives_memory(0));
}
