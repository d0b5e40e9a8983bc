package org.mobilebnn.demo.network;

import android.graphics.Bitmap;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.mobilebnn.BnnInterpreter;
import org.mobilebnn.Classification;
import org.mobilebnn.InvalidModelException;
import org.mobilebnn.ModelMetadata;
import org.mobilebnn.TensorInfo;

/** Networks by {@link BnnInterpreter}. */
public final class BnnOpener implements NetworkOpener {
    private final String runtimeLibrary;

    /**
     * An opener.
     *
     * @param runtimeLibrary name or path of a library with TFLite's C API; null: the one that the app brings
     */
    public BnnOpener(String runtimeLibrary) {
        this.runtimeLibrary = runtimeLibrary;
    }

    @Override
    public Network open(ByteBuffer file, Engine engine, int threads) throws InvalidModelException {
        BnnInterpreter.Options options = new BnnInterpreter.Options();
        options.setNumThreads(threads).setDelegate(engine == Engine.BINARY);
        if (runtimeLibrary != null) {
            options.setRuntimeLibrary(runtimeLibrary);
        }
        try {
            return new BnnNetwork(new BnnInterpreter(file, options));
        } catch (IllegalStateException noRuntime) {
            throw (Error) new UnsatisfiedLinkError(noRuntime.getMessage()).initCause(noRuntime);
        }
    }

    @Override
    public String kernel() {
        return BnnInterpreter.kernel();
    }

    @Override
    public String version() {
        return BnnInterpreter.version();
    }

    private static final class BnnNetwork implements Network {
        private final BnnInterpreter interpreter;

        BnnNetwork(BnnInterpreter interpreter) {
            this.interpreter = interpreter;
        }

        @Override
        public ModelMetadata metadata() {
            return interpreter.metadata();
        }

        @Override
        public String runtimeVersion() {
            return interpreter.runtimeVersion();
        }

        @Override
        public List<TensorInfo> inputs() {
            List<TensorInfo> all = new ArrayList<>();
            for (int i = 0; i < interpreter.inputCount(); i++) {
                all.add(interpreter.input(i));
            }
            return all;
        }

        @Override
        public List<TensorInfo> outputs() {
            List<TensorInfo> all = new ArrayList<>();
            for (int i = 0; i < interpreter.outputCount(); i++) {
                all.add(interpreter.output(i));
            }
            return all;
        }

        @Override
        public List<Classification> classify(Bitmap picture) {
            return interpreter.classify(picture);
        }

        @Override
        public void run(ByteBuffer[] inputs, ByteBuffer[] outputs) {
            interpreter.run(inputs, outputs);
        }

        @Override
        public void close() {
            interpreter.close();
        }
    }
}
