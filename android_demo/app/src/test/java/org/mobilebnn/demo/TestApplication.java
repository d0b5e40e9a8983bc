package org.mobilebnn.demo;

import org.mobilebnn.demo.network.BnnOpener;
import org.mobilebnn.demo.network.NetworkOpener;

/** The app with this PC's TFLite, for Android's does not load here; networks, delegate and interpreter are the real ones. */
public final class TestApplication extends DemoApplication {
    @Override
    protected NetworkOpener newOpener() {
        return new BnnOpener(System.getProperty("mbnn.runtime"));
    }
}
