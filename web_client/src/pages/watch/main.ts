import { mountPage } from '../../shared/page'
import WatchPage from './WatchPage.vue'

void mountPage(WatchPage)
