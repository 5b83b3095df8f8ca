#pragma once

#include <filesystem>
#include <string>

namespace spillway {

/// Copies good files into a folder, made once per test program:
///
///   chain.trace.json      two layers of opaque ops with round numbers, the same on every machine
///   chain.plan.json       of it by swap-all at 1024 bytes, and chain.schedule.json of that
///   chain.timeline.json   the predicted timeline
///   mlp.trace.json        a tiny perceptron, profiled here with one thread at batch 4
///   mlp.plan.json         of it, everything kept
///   mlp.safetensors       weights of it after two steps
///   image.npy, labels.npy in data/: eight samples of it
void copy_good_files(const std::filesystem::path& folder);

/// Replaces the first `from` in a file; throws when it isn't there, so that a case can't silently test nothing.
void edit(const std::filesystem::path& file, const std::string& from, const std::string& to);

/// A NumPy array of zeros. `type` as NumPy writes it: `<f4`; `shape`: `8, 16`.
void write_zeros(const std::filesystem::path& file, const std::string& type, const std::string& shape,
                 std::size_t bytes);

}  // namespace spillway
