/** How long a message waits in the ledger's queue, and how long in its dead-letter queue: SQS counts both from its sending. */
export const QUEUE_DAYS = 4;
export const DEAD_LETTER_DAYS = 14;

/** The stream's: until then the publisher may send an event again. */
const STREAM_DAYS = 1;

/**
 * How long a booked event is recognised: until its last copy can have come. The publisher may send
 * it on the stream's last day. It may then lie in the dead-letter queue for 14 days, and is a new
 * message when it is redriven. A day is to spare. A later copy is refused by its entry.
 */
export const BOOKED_DAYS = STREAM_DAYS + 2 * DEAD_LETTER_DAYS + 1;
