// Random pauses in the threads of `ftpsensord read`, for the project's own tests: a race that shows one time in fifty
// is to be found.
//
// Off unless FTPSENSOR_TEST_DELAYS is set to a number, the seed of the pauses; then it costs one test of a bool a block
// of packets. One object a thread, which alone uses it. See CONTRIBUTING.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ftpsensor {

class TestDelays {
public:
    // `thread`: of several, which; each has dice of its own.
    explicit TestDelays(std::size_t thread);

    bool on() const { return on_; }
    // Sleeps now and then: mostly not at all, seldom for milliseconds.
    void pause() {
        if (on_) [[unlikely]]
            sleep();
    }
    // How many of `most` packets to take before the next pause: all of them where this is off.
    std::size_t piece(std::size_t most);

private:
    std::uint64_t next();
    void sleep();

    bool on_ = false;
    std::uint64_t state_ = 0;
};

} // namespace ftpsensor
