/* SHA-256 by the SHA instructions of x86-64: two tagged messages at a time, so that the two chains of dependent
 * instructions overlap, and any number of blocks of one message. Needs the names of _hashtree.c.
 */

#define SHA __attribute__((target("sha,ssse3,sse4.1")))
#define INLINE static inline __attribute__((always_inline)) SHA

/* The state of one hash in the order the instructions want it, and the block it takes in next. */
typedef struct {
    __m128i abef, cdgh;
    __m128i words[4];
} Lane;

INLINE __m128i swap_words(__m128i bytes) {
    return _mm_shuffle_epi8(bytes, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

INLINE __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

INLINE void begin(Lane *lane) {
    const uint32_t *h = INITIAL_STATE;
    lane->abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    lane->cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
}

/* A whole block as it stands in memory. */
INLINE void take_block(Lane *lane, const uint8_t *bytes) {
    for (int i = 0; i < 4; i++) lane->words[i] = swap_words(load(bytes + 16 * i));
}

/* The first block of a tagged message: the tag and 63 bytes. */
INLINE void take_tagged(Lane *lane, uint8_t tag, const uint8_t *bytes) {
    const __m128i first = _mm_or_si128(_mm_slli_si128(load(bytes), 1), _mm_cvtsi32_si128(tag));
    lane->words[0] = swap_words(first);
    for (int i = 1; i < 4; i++) lane->words[i] = swap_words(load(bytes + 16 * i - 1));
}

/* The last block of a tagged message that ends one byte after a multiple of 64. */
INLINE void take_end(Lane *lane, uint8_t last, size_t bits) {
    lane->words[0] = _mm_cvtsi32_si128((int)((uint32_t)last << 24 | 0x800000u));
    lane->words[1] = lane->words[2] = _mm_setzero_si128();
    lane->words[3] = _mm_insert_epi32(_mm_setzero_si128(), (int)bits, 3);
}

/* Work the block of each lane into its state. With `lanes` known to the compiler everything here unrolls. */
INLINE void compress_lanes(Lane *lane, const int lanes) {
    __m128i abef[2], cdgh[2], words[2][4];
    for (int l = 0; l < lanes; l++) {
        abef[l] = lane[l].abef;
        cdgh[l] = lane[l].cdgh;
        for (int i = 0; i < 4; i++) words[l][i] = lane[l].words[i];
    }
#pragma GCC unroll 16
    for (int four = 0; four < 16; four++) {
        const __m128i constants = load((const uint8_t *)&ROUND_CONSTANTS[4 * four]);
#pragma GCC unroll 2
        for (int l = 0; l < lanes; l++) {
            __m128i *const word = &words[l][four & 3];
            if (four >= 4) {
                const __m128i before = words[l][(four + 3) & 3];
                const __m128i shifted = _mm_alignr_epi8(before, words[l][(four + 2) & 3], 4);
                const __m128i partial = _mm_sha256msg1_epu32(*word, words[l][(four + 1) & 3]);
                *word = _mm_sha256msg2_epu32(_mm_add_epi32(partial, shifted), before);
            }
            const __m128i sum = _mm_add_epi32(*word, constants);
            cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], sum);
            abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(sum, 0x0e));
        }
    }
    for (int l = 0; l < lanes; l++) {
        lane[l].abef = _mm_add_epi32(lane[l].abef, abef[l]);
        lane[l].cdgh = _mm_add_epi32(lane[l].cdgh, cdgh[l]);
    }
}

INLINE void finish(const Lane *lane, uint8_t *node) {
    const __m128i abcd = _mm_shuffle_epi32(_mm_unpackhi_epi64(lane->abef, lane->cdgh), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_unpacklo_epi64(lane->abef, lane->cdgh), 0xb1);
    _mm_storeu_si128((__m128i *)node, swap_words(abcd));
    _mm_storeu_si128((__m128i *)(node + 16), swap_words(efgh));
}

/* Two neighbouring messages of a tag and `size` bytes, `size` a multiple of 64, into two nodes. */
SHA static void hash_tagged_pair(uint8_t tag, const uint8_t *bytes, size_t size, uint8_t *nodes) {
    Lane lane[2];
    for (int l = 0; l < 2; l++) {
        begin(&lane[l]);
        take_tagged(&lane[l], tag, bytes + l * size);
    }
    compress_lanes(lane, 2);
    for (size_t at = BLOCK; at < size; at += BLOCK) {
        for (int l = 0; l < 2; l++) take_block(&lane[l], bytes + l * size + at - 1);
        compress_lanes(lane, 2);
    }
    for (int l = 0; l < 2; l++) take_end(&lane[l], bytes[l * size + size - 1], (size + 1) * 8);
    compress_lanes(lane, 2);
    for (int l = 0; l < 2; l++) finish(&lane[l], nodes + l * NODE);
}

/* One message, padded already, of `blocks` blocks. */
SHA static void hash_blocks_sha(const uint8_t *message, size_t blocks, uint8_t *node) {
    Lane lane;
    begin(&lane);
    for (; blocks; blocks--, message += BLOCK) {
        take_block(&lane, message);
        compress_lanes(&lane, 1);
    }
    finish(&lane, node);
}

#undef SHA
#undef INLINE
