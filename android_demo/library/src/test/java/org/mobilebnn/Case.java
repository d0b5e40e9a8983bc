package org.mobilebnn;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A model, inputs, and what Python's interpreter gives for them; tools/android/cases.py writes them. */
final class Case {
    final String name;
    final File model;
    final File binary; // the model up to its last binary convolution
    private final File folder;

    private Case(File folder) {
        this.folder = folder;
        name = folder.getName();
        model = new File(folder, "model.tflite");
        binary = new File(folder, "binary.tflite");
    }

    /** All of them; that there are none is an error, or the tests would test nothing. */
    static List<Case> all() {
        String path = System.getProperty("mbnn.cases", "");
        File[] folders = path.isEmpty() ? null : new File(path).listFiles(File::isDirectory);
        if (folders == null || folders.length == 0) {
            throw new AssertionError("there are no cases in '" + path + "': make test-android writes them");
        }
        Arrays.sort(folders);
        List<Case> cases = new ArrayList<>();
        for (File folder : folders) {
            cases.add(new Case(folder));
        }
        return cases;
    }

    static Case named(String name) {
        return all().stream().filter(each -> each.name.equals(name)).findFirst().orElseThrow(AssertionError::new);
    }

    byte[] bytes(String file) throws IOException {
        return Files.readAllBytes(new File(folder, file).toPath());
    }

    boolean has(String file) {
        return new File(folder, file).exists();
    }

    String text(String file) throws IOException {
        return new String(bytes(file), StandardCharsets.UTF_8);
    }

    static ByteBuffer direct(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        buffer.put(bytes);
        buffer.flip();
        return buffer;
    }

    static BnnInterpreter.Options options() {
        return new BnnInterpreter.Options().setRuntimeLibrary(System.getProperty("mbnn.runtime"));
    }

    /** All samples of inputs.bin through an interpreter, as the file of that many bytes has them. */
    byte[] run(BnnInterpreter interpreter, int expected) throws IOException {
        ByteBuffer inputs = direct(bytes("inputs.bin"));
        ByteBuffer outputs = ByteBuffer.allocateDirect(expected);
        while (inputs.position() < inputs.capacity()) {
            ByteBuffer[] in = new ByteBuffer[interpreter.inputCount()];
            ByteBuffer[] out = new ByteBuffer[interpreter.outputCount()];
            for (int i = 0; i < in.length; ++i) {
                in[i] = next(inputs, interpreter.input(i).bytes);
            }
            for (int i = 0; i < out.length; ++i) {
                out[i] = next(outputs, interpreter.output(i).bytes);
            }
            interpreter.run(in, out);
        }
        outputs.clear();
        byte[] found = new byte[expected];
        outputs.get(found);
        return found;
    }

    private static ByteBuffer next(ByteBuffer buffer, long bytes) {
        ByteBuffer view = buffer.duplicate();
        int end = buffer.position() + (int) bytes;
        view.limit(end);
        buffer.position(end);
        return view;
    }
}
