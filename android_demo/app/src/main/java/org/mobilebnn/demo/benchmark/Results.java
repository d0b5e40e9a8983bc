package org.mobilebnn.demo.benchmark;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.mobilebnn.demo.network.NetworkOpener;

/**
 * What a benchmark has measured so far, which a file keeps: Android may end the app at any moment. An app of another
 * version, whose classes differ, does not read it.
 */
public final class Results implements Serializable {
    /** What was measured. */
    public final List<Cell> cells;
    /** The phone when it began. */
    public final Condition before;
    /** The phone when it ended. */
    public final Condition after;
    /** When it ended. */
    public final Date ended;
    /** The instruction set of the binary kernels. */
    public final String kernel;
    /** Of our library. */
    public final String version;
    /** Of the process that measured. */
    public final long peakMemoryBytes = DeviceFacts.peakMemoryBytes();

    Results(List<Cell> cells, NetworkOpener opener, Condition before, Condition after) {
        this.cells = new ArrayList<>(cells);
        kernel = opener.kernel();
        version = opener.version();
        this.before = before;
        this.after = after;
        ended = new Date();
    }

    /** Whether there are latencies. */
    public boolean measured() {
        return cells.stream().anyMatch(Cell::measured);
    }

    /** Replaces a file atomically; if the storage is full, the file stays as it was. */
    void write(File file) {
        File part = new File(file.getPath() + ".part");
        try (ObjectOutputStream stream =
                new ObjectOutputStream(new BufferedOutputStream(new FileOutputStream(part)))) {
            stream.writeObject(this);
        } catch (IOException full) { // which sharing the record will say
            part.delete();
            return;
        }
        part.renameTo(file);
    }

    /** Reads a file; returns null if it is missing, damaged, or of another version of these classes. */
    static Results read(File file) {
        try (ObjectInputStream stream =
                new ObjectInputStream(new BufferedInputStream(new FileInputStream(file)))) {
            return (Results) stream.readObject();
        } catch (IOException | ClassNotFoundException | RuntimeException none) {
            return null;
        }
    }
}
