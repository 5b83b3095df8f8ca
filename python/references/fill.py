"""The numbers that core/fill.h and core/philox.h define, made again in NumPy."""

import numpy as np

LOW_WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox4x32_10(counters, key):
    """Philox 4x32-10 (Salmon et al., SC 2011, section 3.3).

    counters: uint64 array [n, 4] of 32-bit words; key: two 32-bit words. Gives a uint64 array [n, 4] of 32-bit words.
    """
    c0, c1, c2, c3 = (counters[:, i].astype(np.uint64) for i in range(4))
    k0, k1 = int(key[0]), int(key[1])
    for _ in range(10):
        product0 = np.uint64(0xD2511F53) * c0
        product1 = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (product1 >> HALF) ^ c1 ^ np.uint64(k0),
            product1 & LOW_WORD,
            (product0 >> HALF) ^ c3 ^ np.uint64(k1),
            product0 & LOW_WORD,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1)


def fnv1a64(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def fill_uniform(shape, name, seed, low, high):
    """float32 array of `shape`, uniform in [low, high), element i being word i % 4 of block i // 4."""
    count = int(np.prod(shape, dtype=np.int64))
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    counters = np.zeros((blocks.size, 4), dtype=np.uint64)
    counters[:, 0] = blocks & LOW_WORD
    counters[:, 1] = blocks >> HALF
    key = fnv1a64(name) ^ seed
    words = philox4x32_10(counters, (key & 0xFFFFFFFF, key >> 32)).reshape(-1)[:count]
    return (low + (high - low) * (words.astype(np.float64) * 2.0**-32)).astype(np.float32).reshape(shape)


def kept_channels(samples, channels, rate, salt, seed, step):
    """Boolean array [samples, channels]: which channels ChannelDropout keeps."""
    counters = np.zeros((samples * channels, 4), dtype=np.uint64)
    counters[:, 0] = np.tile(np.arange(channels), samples)
    counters[:, 1] = np.repeat(np.arange(samples), channels)
    counters[:, 2] = salt
    counters[:, 3] = step
    u = philox4x32_10(counters, (seed & 0xFFFFFFFF, seed >> 32))[:, 0].astype(np.float64) * 2.0**-32
    return (u >= rate).reshape(samples, channels)
