package org.mobilebnn.demo;

import java.nio.ByteBuffer;
import java.util.Collections;
import org.mobilebnn.InvalidModelException;
import org.mobilebnn.demo.benchmark.Benchmark;
import org.mobilebnn.demo.network.BnnOpener;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelStore;
import org.mobilebnn.demo.network.Network;
import org.mobilebnn.demo.network.NetworkOpener;
import org.robolectric.util.ReflectionHelpers;

/** The app with this PC's TFLite, for Android's does not load here; networks, delegate and interpreter are the real ones. */
public class TestApplication extends DemoApplication {
    @Override
    protected NetworkOpener newOpener() {
        return new BnnOpener(System.getProperty("mbnn.runtime"));
    }

    /** What ends with the process ends. */
    void forget() {
        ReflectionHelpers.setField(DemoApplication.class, this, "store", null);
        ReflectionHelpers.setField(DemoApplication.class, this, "opener", null);
        ReflectionHelpers.setField(DemoApplication.class, this, "adoption", null);
        ReflectionHelpers.setField(DemoApplication.class, this, "session", null);
    }

    @Override
    protected Benchmark.Effort effort() {
        return new Benchmark.Effort(2, 5, 20, 5, 50);
    }

    /** Built without networks. */
    public static final class WithoutNetworks extends TestApplication {
        @Override
        protected ModelStore newStore() {
            return new ModelStore(this, Collections.emptyList());
        }
    }

    /** On a phone that TensorFlow Lite does not load on. */
    public static final class WithoutRuntime extends TestApplication {
        @Override
        protected NetworkOpener newOpener() {
            return new BnnOpener("libnone.so");
        }
    }

    /** Measures for as long as the test looks. */
    public static final class Thorough extends TestApplication {
        @Override
        protected Benchmark.Effort effort() {
            return new Benchmark.Effort(1000, 5, 20, 5, 50);
        }
    }

    /** On a phone that has no memory left when a network is opened. */
    public static final class WithoutMemory extends TestApplication {
        @Override
        protected NetworkOpener newOpener() {
            NetworkOpener real = super.newOpener();
            return new NetworkOpener() {
                @Override
                public Network open(ByteBuffer file, Engine engine, int threads) throws InvalidModelException {
                    throw new OutOfMemoryError("Failed to allocate");
                }

                @Override
                public String kernel() {
                    return real.kernel();
                }

                @Override
                public String version() {
                    return real.version();
                }
            };
        }
    }
}
