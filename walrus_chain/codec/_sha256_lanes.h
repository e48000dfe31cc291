/* SHA-256 over LANES messages side by side, one in each lane of a vector register. Included once for each width:
 *
 *     #define LANES 16
 *     #define LANES_TARGET __attribute__((target("avx512f")))
 *     #include "_sha256_lanes.h"
 *
 * defines hash_tagged_16; with LANES 1 it defines compress_1 only. The compiler's own vectors are used, no instructions by name: it makes rotations and
 * three-way logic of what is written here where the target has them. Needs the names of _hashtree.c.
 */

#define JOINED(name, lanes) name##lanes
#define NAMED(name, lanes) JOINED(name, lanes)
#define Words NAMED(Words, LANES)

typedef uint32_t Words __attribute__((vector_size(4 * LANES)));

#define ROTATED(x, bits) ((x) >> (bits) | (x) << (32 - (bits)))

/* Work one block of each lane, given as its 16 words, into the states. Uses `words` up. */
static inline __attribute__((always_inline)) void NAMED(compress_, LANES)(Words state[8], Words words[16]) {
    Words a = state[0], b = state[1], c = state[2], d = state[3];
    Words e = state[4], f = state[5], g = state[6], h = state[7];
#pragma GCC unroll 64
    for (int t = 0; t < 64; t++) {
        if (t >= 16) {
            const Words early = words[(t - 15) & 15], late = words[(t - 2) & 15];
            const Words small0 = ROTATED(early, 7) ^ ROTATED(early, 18) ^ early >> 3;
            const Words small1 = ROTATED(late, 17) ^ ROTATED(late, 19) ^ late >> 10;
            words[t & 15] += small0 + words[(t - 7) & 15] + small1;
        }
        const Words big1 = ROTATED(e, 6) ^ ROTATED(e, 11) ^ ROTATED(e, 25);
        const Words big0 = ROTATED(a, 2) ^ ROTATED(a, 13) ^ ROTATED(a, 22);
        const Words first = h + big1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t] + words[t & 15];
        const Words second = big0 + ((a & b) | (c & (a | b)));
        h = g, g = f, f = e, e = d + first;
        d = c, c = b, b = a, a = first + second;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if LANES > 1

/* LANES neighbouring messages of a tag and `size` bytes, `size` a multiple of 64, into as many nodes. */
LANES_TARGET static void NAMED(hash_tagged_, LANES)(uint8_t tag, const uint8_t *bytes, size_t size, uint8_t *nodes) {
    const Words zero = {0};
    Words state[8], words[16];
    for (int i = 0; i < 8; i++) state[i] = zero + INITIAL_STATE[i];
    for (size_t at = 0; at < size; at += BLOCK) {
        for (int lane = 0; lane < LANES; lane++) {
            const uint8_t *block = bytes + lane * size + at;
            words[0][lane] = at ? big_endian(block - 1) : big_endian(block) >> 8 | (uint32_t)tag << 24;
            for (int t = 1; t < 16; t++) words[t][lane] = big_endian(block + 4 * t - 1);
        }
        NAMED(compress_, LANES)(state, words);
    }
    for (int t = 0; t < 16; t++) words[t] = zero;
    for (int lane = 0; lane < LANES; lane++) words[0][lane] = (uint32_t)bytes[lane * size + size - 1] << 24 | 0x800000;
    words[15] = zero + (uint32_t)(size + 1) * 8;
    NAMED(compress_, LANES)(state, words);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < 8; i++) put_big_endian(nodes + lane * NODE + 4 * i, state[i][lane]);
}

#endif

#undef ROTATED
#undef Words
#undef NAMED
#undef JOINED
#undef LANES
#undef LANES_TARGET
