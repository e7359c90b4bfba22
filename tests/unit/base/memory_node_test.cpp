// Memory is where it was said to be: the kernel is asked what it knows of a page. One node is enough to see what was
// said; that a page lies there needs a second one.
#include "core/base/memory_node.h"
#include "core/base/table_memory.h"
#include "tests/support/catch.h"

#include <thread>

using namespace ftpsensor;

namespace {

constexpr int kNoNode = 1000;

bool possible() {
    const OnNode here(0);
    if (!here.works()) WARN("no memory policies here (a kernel or a sandbox without them): nothing is tested");
    return here.works();
}

} // namespace

TEST_CASE("a table that is made on a node stays with it, whoever touches it") {
    if (!possible()) return;
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

TEST_CASE("nothing is said of other tables") {
    const TableMemory before(TableMemory::kAlignment);
    { const OnNode here(0); }
    const TableMemory after(TableMemory::kAlignment);
    CHECK_FALSE(preferred_node(before.data()).has_value());
    CHECK_FALSE(preferred_node(after.data()).has_value());
    const OnNode nowhere(-1);
    const TableMemory without(TableMemory::kAlignment);
    CHECK(nowhere.works());
    CHECK_FALSE(preferred_node(without.data()).has_value());
}

TEST_CASE("what was said before is said again afterwards") {
    if (!possible()) return;
    const OnNode outer(0);
    { const OnNode inner(0); }
    const TableMemory memory(TableMemory::kAlignment);
    CHECK(preferred_node(memory.data()) == 0);
}

TEST_CASE("a node that is not there gives nothing, and says so") {
    CHECK(node_gives_memory(-1));
    if (possible()) CHECK(node_gives_memory(0));
    const OnNode nowhere(kNoNode), beyond(1 << 20);
    CHECK_FALSE(nowhere.works());
    CHECK_FALSE(beyond.works());
    CHECK_FALSE(node_gives_memory(kNoNode));
    const TableMemory memory(TableMemory::kAlignment); // all the same
    memory.data()[0] = std::byte{1};
}
