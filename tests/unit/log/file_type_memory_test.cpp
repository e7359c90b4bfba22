// What RE2 remembers of the bytes that it typed has a bound: no strangers' files make it more.
//
// Nearly every pattern of the table has so few states that its growth ends by itself. Those of office documents do not:
// "PK\x03\x04" may stand at any of the 26 places before the name that they look for, in any combination.
#include "core/log/file_type.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <string_view>

#include <malloc.h>

namespace {

std::size_t in_use = 0; // bytes that operator new gave

} // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept { // a sanitizer's would not come here by itself
    void* const memory = std::malloc(size);
    if (memory != nullptr) in_use += malloc_usable_size(memory);
    return memory;
}
void* operator new(std::size_t size) {
    if (void* const memory = operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    if (memory != nullptr) in_use -= malloc_usable_size(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

using namespace ftpsensor;

namespace {

constexpr std::size_t kBytesPerPattern = 128 << 10; // as ARCHITECTURE.md says
constexpr std::size_t kGrowingPatterns = 3;         // documents, sheets, presentations
constexpr std::size_t kFirstBytes = 4096;

// First bytes of files, by dice.
class Files {
public:
    std::string random(std::size_t size) {
        std::string bytes(size, '\0');
        std::generate(bytes.begin(), bytes.end(), [this] { return static_cast<char>(random_()); });
        return bytes;
    }
    std::string document() {
        static constexpr std::string_view kNames[] = {"[Content_Types].xml", "_rels/.rels", "word/", "xl/", "ppt/"};
        std::string bytes = kBegin + random(26);
        bytes += kNames[random_() % std::size(kNames)];
        while (bytes.size() < kFirstBytes) bytes += kBegin + random(random_() % 8);
        bytes.resize(kFirstBytes);
        return bytes;
    }

private:
    const std::string kBegin = "PK\x03\x04";
    std::mt19937_64 random_{1};
};

// The most that was in use after any of so many documents.
std::size_t type_documents(Files& files, int number) {
    std::size_t most = 0;
    for (int i = 0; i < number; ++i) {
        CHECK(file_type(files.document()) == "application/zip");
        most = std::max(most, in_use);
    }
    return most;
}

} // namespace

TEST_CASE("files made to be remembered in ever more states take no more memory than the bound", "[file_type_memory]") {
    Files files;
    for (int i = 0; i < 20; ++i) file_type(files.random(kFirstBytes));
    type_documents(files, 1); // by now nearly all patterns remember what they ever will
    const std::size_t before = in_use;
    const std::size_t first = type_documents(files, 60) - before;
    const std::size_t second = type_documents(files, 60) - before;
    const std::size_t third = type_documents(files, 60) - before;
    INFO(before << " bytes before, and of 60 files each " << first << ", " << second << ", " << third << " more");
    CHECK(before < file_types().size() * kBytesPerPattern);
    CHECK(first > kBytesPerPattern / 4); // they do make it grow
    CHECK(first < kGrowingPatterns * kBytesPerPattern);
    CHECK(second < first + kBytesPerPattern / 8);
    CHECK(third < first + kBytesPerPattern / 8);
}
