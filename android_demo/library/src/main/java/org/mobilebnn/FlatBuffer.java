package org.mobilebnn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads the tables of a flatbuffer of unknown origin. Every position is checked by {@link ByteBuffer}; what leads outside
 * ends in an {@link IndexOutOfBoundsException} or a {@link BadFlatBuffer}.
 */
final class FlatBuffer {
    private static final int OFFSET = 4;
    private final ByteBuffer bytes;

    FlatBuffer(ByteBuffer bytes) {
        this.bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        this.bytes.clear();
    }

    /** What a flatbuffer cannot hold. */
    static final class BadFlatBuffer extends RuntimeException {
        private static final long serialVersionUID = 1;

        BadFlatBuffer(String message) {
            super(message);
        }
    }

    int size() {
        return bytes.capacity();
    }

    Table root() {
        return table(0);
    }

    /** The table that the offset at this position leads to. */
    private Table table(int position) {
        return new Table(follow(position));
    }

    /** Offsets lead on, so no chain of them is a circle. */
    private int follow(int position) {
        long offset = bytes.getInt(position) & 0xffffffffL;
        long target = position + offset;
        if (offset == 0 || target > size() - OFFSET) {
            throw new BadFlatBuffer("an offset in it leads nowhere");
        }
        return (int) target;
    }

    /** A table: fields by number. */
    final class Table {
        private final int start;
        private final int vtable;
        private final int vtableSize;

        private Table(int start) {
            this.start = start;
            long place = (long) start - bytes.getInt(start);
            if (place < 0 || place > size() - OFFSET) {
                throw new BadFlatBuffer("a table in it has no list of fields");
            }
            vtable = (int) place;
            vtableSize = bytes.getShort(vtable) & 0xffff;
        }

        /** Where the field's value is; 0 if the table has none. */
        private int field(int number) {
            int entry = OFFSET + 2 * number;
            if (entry + 2 > vtableSize) {
                return 0;
            }
            int offset = bytes.getShort(vtable + entry) & 0xffff;
            return offset == 0 ? 0 : Math.addExact(start, offset);
        }

        int getByte(int number) {
            int place = field(number);
            return place == 0 ? 0 : bytes.get(place);
        }

        int getInt(int number) {
            int place = field(number);
            return place == 0 ? 0 : bytes.getInt(place);
        }

        long getLong(int number) {
            int place = field(number);
            return place == 0 ? 0 : bytes.getLong(place);
        }

        boolean has(int number) {
            return field(number) != 0;
        }

        /** Another table; null if there is none. */
        Table getTable(int number) {
            int place = field(number);
            return place == 0 ? null : table(place);
        }

        /** A vector of elements of that many bytes; an empty one if there is none. */
        Vector vector(int number, int elementBytes) {
            int place = field(number);
            return place == 0 ? new Vector(0, 0, elementBytes) : new Vector(follow(place), elementBytes);
        }
    }

    /** A vector: a count, then elements of one size. */
    final class Vector {
        final int count;
        private final int first;
        private final int elementBytes;

        private Vector(int place, int elementBytes) {
            this(place + OFFSET, bytes.getInt(place), elementBytes);
            if (count < 0 || first + (long) count * elementBytes > size()) {
                throw new BadFlatBuffer("a list in it is longer than the file");
            }
        }

        private Vector(int first, int count, int elementBytes) {
            this.first = first;
            this.count = count;
            this.elementBytes = elementBytes;
        }

        private int place(int i) {
            if (i < 0 || i >= count) {
                throw new BadFlatBuffer("a list in it is too short");
            }
            return first + i * elementBytes;
        }

        int getInt(int i) {
            return bytes.getInt(place(i));
        }

        Table getTable(int i) {
            return table(place(i));
        }

        byte[] toBytes() {
            byte[] copy = new byte[count];
            ByteBuffer view = bytes.duplicate();
            view.position(first);
            view.get(copy);
            return copy;
        }
    }
}
